package io.weft.dataplane.route;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import java.util.ArrayList;
import java.util.List;

/**
 * Replaces every match of an RE2 pattern, but as RE2 no empty one right behind another; {@code \0} to {@code \9} in the
 * substitution are its groups. Immutable.
 */
final class RegexReplacement {
    private final Pattern pattern;
    /** In order: text as String, a group's number as Integer. */
    private final List<Object> parts = new ArrayList<>();

    RegexReplacement(String regex, String substitution) {
        pattern = Pattern.compile(regex);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < substitution.length(); i++) {
            char c = substitution.charAt(i);
            char next = i + 1 < substitution.length() ? substitution.charAt(i + 1) : 0;
            if (c == '\\' && next >= '0' && next <= '9' && next - '0' <= pattern.groupCount()) {
                parts.add(text.toString());
                parts.add(next - '0');
                text.setLength(0);
                i++;
            } else if (c == '\\' && next == '\\') {
                text.append('\\');
                i++;
            } else {
                text.append(c);
            }
        }
        parts.add(text.toString());
    }

    String apply(String text) {
        Matcher matcher = pattern.matcher(text);
        StringBuilder result = new StringBuilder();
        int copied = 0;
        boolean matched = false;
        while (matcher.find()) {
            if (matched && matcher.end() == copied) {
                continue;
            }
            matched = true;
            result.append(text, copied, matcher.start());
            for (Object part : parts) {
                String value = part instanceof Integer group ? matcher.group(group) : (String) part;
                if (value != null) {
                    result.append(value);
                }
            }
            copied = matcher.end();
        }
        return result.append(text, copied, text.length()).toString();
    }
}
