package io.weft.dataplane.filter;

/** A header's value that is a number. */
final class HeaderNumber {
    private static final int MAX_DIGITS = 18;

    private HeaderNumber() {}

    /**
     * @param text null: no header
     * @return -1: it is none
     */
    static long of(String text) {
        if (text == null || text.isEmpty() || text.length() > MAX_DIGITS) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }
}
