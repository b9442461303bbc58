package io.weft.policy.parse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The messages of the API that this build was made with, and their fields: lite messages cannot say themselves. One line of
 * {@code messages.txt} for each: its name, then the numbers of its fields; where a field is a message in which there is something
 * to find, {@code 2:name>message}, with {@code *} behind the number of a repeated one and {@code %} behind that of a map.
 * Immutable but for what is read when it is first asked for.
 */
final class KnownMessages {
    private static final Map<String, String> LINES = lines();
    private static final Map<String, Known> READ = new ConcurrentHashMap<>();

    private KnownMessages() {}

    enum Label { SINGLE, REPEATED, MAP }

    record Child(String name, Label label, String message) {}

    /** A message. */
    static final class Known {
        private final boolean strict;
        private final int[] numbers;
        private final Child[] children;

        Known(String message, String line) {
            strict = UnknownFields.isStrict(message);
            String[] fields = line.isEmpty() ? new String[0] : line.split(" ");
            numbers = new int[fields.length];
            children = new Child[fields.length];
            for (int i = 0; i < fields.length; i++) {
                int colon = fields[i].indexOf(':');
                if (colon < 0) {
                    numbers[i] = Integer.parseInt(fields[i]);
                    continue;
                }
                char last = fields[i].charAt(colon - 1);
                Label label = last == '*' ? Label.REPEATED : last == '%' ? Label.MAP : Label.SINGLE;
                numbers[i] = Integer.parseInt(fields[i].substring(0, label == Label.SINGLE ? colon : colon - 1));
                int to = fields[i].indexOf('>');
                children[i] = new Child(fields[i].substring(colon + 1, to), label, fields[i].substring(to + 1));
            }
        }

        /** @see UnknownFields#isStrict */
        boolean strict() {
            return strict;
        }

        /** @return negative: there is none of this number */
        int index(int number) {
            return Arrays.binarySearch(numbers, number);
        }

        /** Null: nothing in it is looked at. */
        Child child(int index) {
            return children[index];
        }

        int fields() {
            return numbers.length;
        }
    }

    /** @return null: not known */
    static Known of(String message) {
        Known known = READ.get(message);
        if (known == null) {
            String line = LINES.get(message);
            if (line == null) {
                return null;
            }
            known = new Known(message, line);
            READ.put(message, known);
        }
        return known;
    }

    private static Map<String, String> lines() {
        Map<String, String> lines = new HashMap<>();
        try (InputStream in = KnownMessages.class.getResourceAsStream("messages.txt");
                BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                int space = line.indexOf(' ');
                lines.put(space < 0 ? line : line.substring(0, space), space < 0 ? "" : line.substring(space + 1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return lines;
    }
}
