package io.weft.policy.parse;

import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.FormatOperator.Syntax;
import io.weft.policy.model.TimePattern;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Envoy's format strings: a percent sign begins a command operator, two are one. An operator is
 * {@code %NAME%}, {@code %NAME(arguments)%} or {@code %NAME(arguments):length%}; the arguments hold no closing parenthesis.
 */
final class FormatParser {
    private static final Map<String, FormatOperator> OPERATORS = operators();
    private static final Set<String> METADATA_KINDS = Set.of(
            "DYNAMIC", "CLUSTER", "ROUTE", "UPSTREAM_HOST", "LISTENER", "LISTENER_FILTER_CHAIN", "VIRTUAL_HOST");
    private static final Set<String> GRPC_STATUS_STYLES = Set.of("CAMEL_STRING", "SNAKE_STRING", "NUMBER");
    private static final Set<String> PATH_QUERY = Set.of("WQ", "NQ");
    private static final Set<String> PATH_SOURCES = Set.of("ORIG", "PATH", "ORIG_OR_PATH");

    private final Field field;
    private final String format;
    private final List<Format.Part> parts = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private int at;

    private FormatParser(Field field, String format) {
        this.field = field;
        this.format = format;
    }

    static Format parse(Field field, String format) {
        return format.indexOf('%') < 0 ? Format.of(format) : new FormatParser(field, format).parse();
    }

    private Format parse() {
        while (at < format.length()) {
            char c = format.charAt(at);
            if (c != '%') {
                text.append(c);
                at++;
            } else if (format.startsWith("%%", at)) {
                text.append('%');
                at += 2;
            } else {
                endText();
                parts.add(command());
            }
        }
        endText();
        return new Format(parts);
    }

    private void endText() {
        if (text.length() > 0) {
            parts.add(new Format.Text(text.toString()));
            text.setLength(0);
        }
    }

    private Format.Command command() {
        int start = at++;
        String name = take(FormatParser::isNameCharacter);
        String arguments = null;
        int maxLength = Integer.MAX_VALUE;
        if (next('(')) {
            int end = format.indexOf(')', at);
            if (end < 0) {
                throw malformed(start);
            }
            arguments = format.substring(at, end);
            at = end + 1;
        }
        boolean length = next(':');
        if (length) {
            String digits = take(c -> c >= '0' && c <= '9');
            if (digits.isEmpty() || digits.length() > 9) {
                throw malformed(start);
            }
            maxLength = Integer.parseInt(digits);
        }
        if (name.isEmpty() || !next('%')) {
            throw malformed(start);
        }
        FormatOperator operator = OPERATORS.get(name);
        if (operator == null) {
            throw field.refuse("'%" + name + "%' is not a command operator that is supported; leave it out, and write %% for a"
                    + " percent sign");
        }
        if (length && !operator.syntax().lengthAllowed()) {
            throw field.refuse("'%" + name + "%' takes no length");
        }
        if (!operator.known()) {
            field.report("%" + name + "% is not known here and stays empty");
        }
        return new Format.Command(operator, arguments(operator, arguments == null ? "" : arguments), maxLength);
    }

    private List<String> arguments(FormatOperator operator, String arguments) {
        Syntax syntax = operator.syntax();
        if (arguments.isEmpty()) {
            if (!syntax.optional()) {
                throw field.refuse("'%" + operator + "%' needs something in parentheses");
            }
            return List.of();
        }
        switch (syntax) {
            case NOTHING:
                throw field.refuse("'%" + operator + "%' takes nothing in parentheses");
            case HEADERS:
                return headers(operator, arguments);
            case TIME:
                return List.of(time(arguments));
            case LIST:
            case OPTIONAL_LIST:
            case METADATA:
            case DURATION:
            case FILTER_STATE:
                List<String> words = List.of(arguments.split(":", -1));
                checkWords(operator, words);
                return words;
            default:
                if (operator == FormatOperator.GRPC_STATUS) {
                    oneOf(operator, arguments, GRPC_STATUS_STYLES);
                }
                return List.of(arguments);
        }
    }

    private List<String> headers(FormatOperator operator, String arguments) {
        String[] names = field.headerText(arguments).toLowerCase(Locale.ROOT).split("\\?", -1);
        if (names.length > 2) {
            throw field.refuse("'%" + operator + "(" + arguments + ")%' names more than one alternative header");
        }
        return names.length == 2 && names[1].isEmpty() ? List.of(names[0]) : List.of(names);
    }

    private String time(String pattern) {
        try {
            new TimePattern(pattern);
            return pattern;
        } catch (IllegalArgumentException e) {
            throw field.refuse(e.getMessage());
        }
    }

    private void checkWords(FormatOperator operator, List<String> words) {
        switch (operator.syntax()) {
            case METADATA:
                oneOf(operator, words.get(0), METADATA_KINDS);
                break;
            case FILTER_STATE:
                boolean byField = words.size() == 3 && words.get(1).equals("FIELD");
                boolean whole = words.size() == 1
                        || words.size() == 2 && (words.get(1).equals("PLAIN") || words.get(1).equals("TYPED"));
                if (words.get(0).isEmpty() || !byField && !whole) {
                    throw field.refuse("'%" + operator + "%' takes KEY, KEY:PLAIN, KEY:TYPED or KEY:FIELD:NAME");
                }
                break;
            case DURATION:
                if (words.size() < 2 || words.size() > 3) {
                    throw field.refuse("'%" + operator + "%' takes START:END or START:END:PRECISION");
                }
                break;
            case OPTIONAL_LIST:
                oneOf(operator, words.get(0), PATH_QUERY);
                if (words.size() > 1) {
                    oneOf(operator, words.get(1), PATH_SOURCES);
                }
                break;
            default:
        }
    }

    private void oneOf(FormatOperator operator, String word, Set<String> known) {
        if (!known.contains(word)) {
            List<String> sorted = new ArrayList<>(known);
            Collections.sort(sorted);
            throw field.refuse("'%" + operator + "%' takes one of " + String.join(", ", sorted) + ", not '" + word + "'");
        }
    }

    @FunctionalInterface
    private interface CharacterTest {
        boolean test(char c);
    }

    private String take(CharacterTest test) {
        int start = at;
        while (at < format.length() && test.test(format.charAt(at))) {
            at++;
        }
        return format.substring(start, at);
    }

    private static boolean isNameCharacter(char c) {
        return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_';
    }

    private boolean next(char c) {
        if (at < format.length() && format.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private Refusal malformed(int start) {
        return field.refuse("'" + format + "' has no command operator at position " + start
                + "; write %NAME%, %NAME(arguments)% or %NAME(arguments):length%, and %% for a percent sign");
    }

    private static Map<String, FormatOperator> operators() {
        Map<String, FormatOperator> operators = new TreeMap<>();
        for (FormatOperator operator : FormatOperator.values()) {
            operators.put(operator.name(), operator);
        }
        return operators;
    }
}
