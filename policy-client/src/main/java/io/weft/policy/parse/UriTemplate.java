package io.weft.policy.parse;

import java.util.ArrayList;
import java.util.List;

/**
 * Envoy's URI templates as the regular expressions that Envoy, too, makes of them. A template is a path whose segments are text,
 * {@code *} (one segment), {@code **} (any number, none included), {@code {name}} or {@code {name=pattern}}; after the last one
 * may stand more text. A variable is a group of the expression, so that a rewrite can refer to it.
 */
final class UriTemplate {
    private static final int MAX_VARIABLES = 5;
    private static final int MAX_NAME_LENGTH = 16;
    /** RFC 3986's pchar without {@code *} and {@code =}. */
    private static final String TEXT = "-._~%!$&'()+,;:@";
    // What stands for a wildcard may hold an equals sign, too.
    private static final String SEGMENT_REGEX = "[a-zA-Z0-9._~%!$&'()+,;:@=-]+";
    private static final String SEGMENTS_REGEX = "[a-zA-Z0-9._~%!$&'()+,;:@/=-]*";

    private final Field field;
    private final String template;
    private final StringBuilder regex = new StringBuilder();
    private final List<String> variables = new ArrayList<>();
    /** After {@code **} no further wildcard may come. */
    private boolean segmentsSeen;
    private int at;

    /** @throws Refusal for what Envoy would refuse */
    UriTemplate(Field field, String template) {
        this.field = field;
        this.template = template;
        if (!template.startsWith("/")) {
            throw refuse("must begin with a slash");
        }
        while (at < template.length()) {
            slash();
            if (at == template.length()) {
                break;
            }
            segment();
        }
    }

    /** RE2, for the whole path. */
    String regex() {
        return regex.toString();
    }

    /**
     * What replaces a path that matched, with {@code \1} and so on for the variables.
     *
     * @param rewrite text, with the variables of this template in braces
     */
    String substitution(Field field, String rewrite) {
        if (!rewrite.startsWith("/") || rewrite.contains("//")) {
            throw field.refuse("must begin with a slash and hold no two slashes in a row");
        }
        StringBuilder substitution = new StringBuilder();
        int i = 0;
        while (i < rewrite.length()) {
            char c = rewrite.charAt(i);
            if (c == '{') {
                int end = rewrite.indexOf('}', i);
                String name = end < 0 ? rewrite.substring(i + 1) : rewrite.substring(i + 1, end);
                int group = variables.indexOf(name) + 1;
                if (end < 0 || group == 0) {
                    throw field.refuse("'" + name + "' is not a variable of path_match_policy '" + template + "'");
                }
                substitution.append('\\').append(group);
                i = end + 1;
            } else if (c == '/' || isText(c)) {
                substitution.append(c);
                i++;
            } else {
                throw field.refuse("holds '" + c + "', which no path template may");
            }
        }
        return substitution.toString();
    }

    private void slash() {
        if (template.charAt(at) != '/') {
            suffix();
            return;
        }
        regex.append('/');
        at++;
    }

    /** Text straight after a wildcard or variable, which ends the template. */
    private void suffix() {
        text(template.length());
    }

    private void segment() {
        if (template.charAt(at) == '*') {
            wildcard();
        } else if (template.charAt(at) == '{') {
            variable();
        } else {
            text(endOfSegment(template.length()));
        }
    }

    private int endOfSegment(int limit) {
        int slash = template.indexOf('/', at);
        return slash < 0 ? limit : Math.min(slash, limit);
    }

    private void text(int end) {
        if (at == end) {
            throw refuse("has an empty segment");
        }
        for (; at < end; at++) {
            char c = template.charAt(at);
            if (!isText(c)) {
                throw refuse("holds '" + c + "' at position " + at + ", where text is expected");
            }
            if ("$()+.".indexOf(c) >= 0) {
                regex.append('\\');
            }
            regex.append(c);
        }
    }

    private void wildcard() {
        if (segmentsSeen) {
            throw refuse("has a wildcard after **");
        }
        segmentsSeen = template.startsWith("**", at);
        regex.append(segmentsSeen ? SEGMENTS_REGEX : SEGMENT_REGEX);
        at += segmentsSeen ? 2 : 1;
    }

    private void variable() {
        int end = template.indexOf('}', at);
        if (end < 0) {
            throw refuse("has a brace that is not closed");
        }
        int equals = template.indexOf('=', at);
        boolean bare = equals < 0 || equals > end;
        String name = template.substring(at + 1, bare ? end : equals);
        if (!isName(name) || variables.contains(name)) {
            throw refuse("has a variable '" + name + "'; a name is a letter and up to " + (MAX_NAME_LENGTH - 1)
                    + " letters, digits or underscores, and occurs once");
        }
        if (variables.size() == MAX_VARIABLES) {
            throw refuse("has more than " + MAX_VARIABLES + " variables");
        }
        variables.add(name);
        regex.append('(');
        if (bare) {
            if (segmentsSeen) {
                throw refuse("has a wildcard after **");
            }
            regex.append(SEGMENT_REGEX);
        } else {
            at = equals + 1;
            pattern(end);
        }
        regex.append(')');
        at = end + 1;
    }

    private void pattern(int end) {
        if (at == end) {
            throw refuse("has a variable with an empty pattern");
        }
        while (true) {
            if (template.charAt(at) == '*') {
                wildcard();
            } else {
                text(endOfSegment(end));
            }
            if (at == end) {
                return;
            }
            if (template.charAt(at) != '/' || at + 1 == end) {
                throw refuse("has a variable with a pattern that is not segments between slashes");
            }
            regex.append('/');
            at++;
        }
    }

    private static boolean isName(String name) {
        boolean valid = !name.isEmpty() && name.length() <= MAX_NAME_LENGTH && isLetter(name.charAt(0));
        for (int i = 1; valid && i < name.length(); i++) {
            char c = name.charAt(i);
            valid = isLetter(c) || c >= '0' && c <= '9' || c == '_';
        }
        return valid;
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    private static boolean isText(char c) {
        return isLetter(c) || c >= '0' && c <= '9' || TEXT.indexOf(c) >= 0;
    }

    private Refusal refuse(String reason) {
        return field.refuse("'" + template + "' " + reason);
    }
}
