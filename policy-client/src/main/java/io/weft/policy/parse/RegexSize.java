package io.weft.policy.parse;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * About how many steps an RE2 pattern compiles to, beyond bounds when its groups are nested too deep. Counted repetitions are unrolled, so that a few characters, nested, can fill
 * the heap of the app; RE2/J bounds each count but not their product.
 */
final class RegexSize {
    /** The compiler recurses into groups. */
    private static final int MAX_DEPTH = 500;
    private static final Pattern COUNT = Pattern.compile("\\{(\\d{1,9})(?:,(\\d{0,9}))?}");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(?:[pPx]\\{[^}]*}|Q.*?(?:\\\\E|$)|.)", Pattern.DOTALL);

    private RegexSize() {}

    static long of(String regex) {
        Matcher count = COUNT.matcher(regex);
        Matcher escape = ESCAPE.matcher(regex);
        // The sizes of the groups that are open, without the last atom.
        Deque<Long> outer = new ArrayDeque<>();
        long sum = 0;
        long atom = 0;
        for (int at = 0; at < regex.length(); ) {
            char c = regex.charAt(at);
            if (c == '{' && startsAt(count, at)) {
                atom *= Math.max(1, Math.max(number(count.group(1)), number(count.group(2))));
                at = count.end();
                continue;
            }
            if (c == ')' && !outer.isEmpty()) {
                atom += sum + 2;
                sum = outer.pop();
                at++;
                continue;
            }
            sum += atom;
            atom = 1;
            if (c == '(') {
                outer.push(sum);
                sum = 0;
                atom = 0;
                at++;
            } else if (c == '\\' && startsAt(escape, at)) {
                atom = escape.end() - at;
                at = escape.end();
            } else if (c == '[') {
                at = classEnd(regex, at);
            } else {
                at++;
            }
            if (sum > Integer.MAX_VALUE || atom > Integer.MAX_VALUE || outer.size() > MAX_DEPTH) {
                return Long.MAX_VALUE;
            }
        }
        long size = sum + atom;
        for (long open : outer) {
            size += open;
        }
        return size;
    }

    /** Behind the bracket that closes the class, or the end. */
    private static int classEnd(String regex, int open) {
        int at = open + 1;
        at += regex.startsWith("^", at) ? 1 : 0;
        // A bracket in the first place stands for itself.
        at += regex.startsWith("]", at) ? 1 : 0;
        while (at < regex.length() && regex.charAt(at) != ']') {
            int named = regex.startsWith("[:", at) ? regex.indexOf(":]", at + 2) : -1;
            if (named >= 0) {
                at = named + 2;
            } else {
                at += regex.charAt(at) == '\\' ? 2 : 1;
            }
        }
        return Math.min(at + 1, regex.length());
    }

    private static boolean startsAt(Matcher matcher, int at) {
        matcher.region(at, matcher.regionEnd());
        return matcher.lookingAt();
    }

    private static long number(String digits) {
        return digits == null || digits.isEmpty() ? 0 : Long.parseLong(digits);
    }
}
