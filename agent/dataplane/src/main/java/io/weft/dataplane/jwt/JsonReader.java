package io.weft.dataplane.jwt;

import io.weft.dataplane.Caller;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON (RFC 8259) as far as tokens and key sets need it: text in, {@link Map}, {@link List}, {@link String}, {@link Double},
 * {@link Boolean} or {@link #NULL} out. Strict where leniency would let two readers see different things: no name occurs twice in
 * an object, nothing follows the value, nesting is bounded. A parser of its own, since the smallest library that is kept well is
 * as large as a fifth of the agent's data plane and does not refuse double names.
 */
final class JsonReader {
    static final Object NULL = Caller.NULL;
    private static final int MAX_DEPTH = 32;

    private final String text;
    private int at;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /** The text is no JSON. */
    static final class JsonException extends Exception {
        JsonException(int at) {
            super("not JSON at character " + at, null, false, false);
        }
    }

    @SuppressWarnings("unchecked") // what begins with a brace is a map
    static Map<String, Object> object(String text) throws JsonException {
        JsonReader reader = new JsonReader(text);
        reader.space();
        if (reader.peek() != '{') {
            throw reader.wrong();
        }
        Object value = reader.value();
        reader.space();
        if (reader.at != text.length()) {
            throw reader.wrong();
        }
        return (Map<String, Object>) value;
    }

    private Object value() throws JsonException {
        space();
        switch (peek()) {
            case '{':
                return nested(true);
            case '[':
                return nested(false);
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", NULL);
            default:
                return number();
        }
    }

    private Object nested(boolean object) throws JsonException {
        if (++depth > MAX_DEPTH) {
            throw wrong();
        }
        at++;
        Object value = object ? members() : elements();
        depth--;
        return value;
    }

    private Map<String, Object> members() throws JsonException {
        Map<String, Object> members = new LinkedHashMap<>();
        space();
        if (skip('}')) {
            return members;
        }
        do {
            space();
            if (peek() != '"') {
                throw wrong();
            }
            String name = string();
            space();
            expect(':');
            if (members.put(name, value()) != null) {
                throw wrong();
            }
            space();
        } while (skip(','));
        expect('}');
        return members;
    }

    private List<Object> elements() throws JsonException {
        List<Object> elements = new ArrayList<>();
        space();
        if (skip(']')) {
            return elements;
        }
        do {
            elements.add(value());
            space();
        } while (skip(','));
        expect(']');
        return elements;
    }

    private String string() throws JsonException {
        StringBuilder value = new StringBuilder();
        at++;
        while (true) {
            char c = next();
            if (c == '"') {
                return value.toString();
            }
            if (c < ' ') {
                throw wrong();
            }
            value.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() throws JsonException {
        char c = next();
        switch (c) {
            case '"':
            case '\\':
            case '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    char hex = next();
                    int digit = hex < 128 ? Character.digit(hex, 16) : -1;
                    if (digit < 0) {
                        throw wrong();
                    }
                    code = code << 4 | digit;
                }
                return (char) code;
            default:
                throw wrong();
        }
    }

    private Double number() throws JsonException {
        int start = at;
        skip('-');
        if (!skip('0')) {
            digits();
        }
        if (skip('.')) {
            digits();
        }
        if (skip('e') || skip('E')) {
            if (!skip('+')) {
                skip('-');
            }
            digits();
        }
        return Double.valueOf(text.substring(start, at));
    }

    private void digits() throws JsonException {
        int start = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (at == start) {
            throw wrong();
        }
    }

    private Object word(String word, Object value) throws JsonException {
        if (!text.startsWith(word, at)) {
            throw wrong();
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    /** NUL at the end, which begins nothing. */
    private char peek() {
        return at < text.length() ? text.charAt(at) : 0;
    }

    private char next() throws JsonException {
        if (at == text.length()) {
            throw wrong();
        }
        return text.charAt(at++);
    }

    private boolean skip(char c) {
        boolean there = at < text.length() && text.charAt(at) == c;
        at += there ? 1 : 0;
        return there;
    }

    private void expect(char c) throws JsonException {
        if (!skip(c)) {
            throw wrong();
        }
    }

    private JsonException wrong() {
        return new JsonException(at);
    }
}
