package io.weft.dataplane.match;

/** The query of a request's target, of which names and values are percent-decoded. */
public final class DecodedQuery {
    private DecodedQuery() {}

    /** @return the value of the first parameter of the name, empty without an equals sign; null: there is none */
    public static String first(String target, String name) {
        for (int start = target.indexOf('?') + 1; start > 0 && start <= target.length(); ) {
            int end = end(target, start);
            if (isOfName(target, start, end, name)) {
                int equals = target.indexOf('=', start);
                return equals < 0 || equals >= end ? "" : PercentDecoder.decode(target.substring(equals + 1, end));
            }
            start = end + 1;
        }
        return null;
    }

    /** Where the parameter ends that starts there. */
    public static int end(String target, int start) {
        int end = target.indexOf('&', start);
        return end < 0 ? target.length() : end;
    }

    public static boolean isOfName(String target, int start, int end, String name) {
        int equals = target.indexOf('=', start);
        int nameEnd = equals < 0 || equals > end ? end : equals;
        return PercentDecoder.decode(target.substring(start, nameEnd)).equals(name);
    }
}
