package io.weft.controlplane.policy;

import java.util.Collection;
import java.util.Locale;

/** What somebody may have meant by a word that is none. */
public final class Spelling {

    private static final int MOST_CHANGES = 2;

    private Spelling() {}

    /** To be appended to a message; empty: nothing is like it. */
    public static String suggestion(String word, Collection<String> known) {
        String nearest = null;
        int changes = MOST_CHANGES + 1;
        for (String candidate : known) {
            if (candidate.equalsIgnoreCase(word)) {
                return ". Did you mean " + candidate + "?";
            }
            int distance = distance(candidate.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
            if (distance < changes && distance < candidate.length()) {
                nearest = candidate;
                changes = distance;
            }
        }
        return nearest == null ? "" : ". Did you mean " + nearest + "?";
    }

    /** Levenshtein's; for long texts not worth its time. */
    private static int distance(String a, String b) {
        if (Math.abs(a.length() - b.length()) > MOST_CHANGES) {
            return Integer.MAX_VALUE;
        }
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                current[j] = Math.min(Math.min(current[j - 1], previous[j]) + 1, previous[j - 1] + change);
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
