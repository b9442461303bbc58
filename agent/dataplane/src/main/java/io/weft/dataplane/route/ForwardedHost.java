package io.weft.dataplane.route;

/** {@code x-forwarded-host}: the hosts that were replaced on the way, the newest last. */
public final class ForwardedHost {
    public static final String HEADER = "x-forwarded-host";

    private ForwardedHost() {}

    /** Unless it is the last one there already. */
    public static String append(String before, String host) {
        if (before == null || before.isEmpty()) {
            return host;
        }
        return before.substring(before.lastIndexOf(',') + 1).equals(host) ? before : before + "," + host;
    }
}
