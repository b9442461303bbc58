package io.weft.dataplane;

import java.util.List;
import java.util.Map;

/** The {@code Cookie} and {@code Set-Cookie} headers, read and written as Envoy does. */
public final class CookieHeader {
    private CookieHeader() {}

    /**
     * Where a cookie's value is, without the quotes around it. Allocates nothing.
     *
     * @param header null: there is none
     * @return begin in the upper and end in the lower 32 bits; -1 when there is no such cookie
     */
    public static long find(String header, String name) {
        int from = 0;
        while (header != null && from < header.length()) {
            int end = header.indexOf(';', from);
            end = end < 0 ? header.length() : end;
            while (from < end && header.charAt(from) == ' ') {
                from++;
            }
            int equals = from + name.length();
            if (equals < end && header.charAt(equals) == '=' && header.startsWith(name, from)) {
                int value = equals + 1;
                boolean quoted = end - value >= 2 && header.charAt(value) == '"' && header.charAt(end - 1) == '"';
                return quoted ? pair(value + 1, end - 1) : pair(value, end);
            }
            from = end + 1;
        }
        return -1;
    }

    private static long pair(int from, int to) {
        return (long) from << 32 | to;
    }

    public static int from(long found) {
        return (int) (found >>> 32);
    }

    public static int to(long found) {
        return (int) found;
    }

    /** @return null when there is no such cookie, or an empty one */
    public static String value(String header, String name) {
        long found = find(header, name);
        return found < 0 || from(found) == to(found) ? null : header.substring(from(found), to(found));
    }

    /** @param maxAgeSeconds 0: for the session */
    public static String set(
            String name, String value, long maxAgeSeconds, String path, List<Map.Entry<String, String>> attributes) {
        StringBuilder cookie = new StringBuilder(name).append("=\"").append(value).append('"');
        if (maxAgeSeconds != 0) {
            cookie.append("; Max-Age=").append(maxAgeSeconds);
        }
        if (!path.isEmpty()) {
            cookie.append("; Path=").append(path);
        }
        for (Map.Entry<String, String> attribute : attributes) {
            cookie.append("; ").append(attribute.getKey());
            if (!attribute.getValue().isEmpty()) {
                cookie.append('=').append(attribute.getValue());
            }
        }
        return cookie.append("; HttpOnly").toString();
    }
}
