package io.weft.dataplane;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/** An IPv4 or IPv6 address as two numbers, so that comparing it with a range allocates nothing. Immutable. */
public final class IpAddress {
    private static final int IPV4_BITS = 32;

    private final boolean ipv6;
    /** The first 64 bits; of IPv4 all, on the left. */
    private final long high;
    private final long low;

    private IpAddress(boolean ipv6, long high, long low) {
        this.ipv6 = ipv6;
        this.high = high;
        this.low = low;
    }

    public static IpAddress of(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return bytes.remaining() == IPV4_BITS / 8
                ? new IpAddress(false, (long) bytes.getInt() << IPV4_BITS, 0)
                : new IpAddress(true, bytes.getLong(), bytes.getLong());
    }

    /** Whether the text is an address and not a name. */
    public static boolean isLiteral(String text) {
        return parse(text) != null;
    }

    /**
     * Resolves nothing.
     *
     * @return null when the text is no IP literal
     */
    public static IpAddress parse(String text) {
        if (text.indexOf(':') < 0) {
            return parseIpv4(text);
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ':' && c != '.' && Character.digit(c, 16) < 0) {
                return null;
            }
        }
        try {
            // Of these characters and with a colon it is a literal or an error, never a name that is looked up.
            return of(InetAddress.getByName(text));
        } catch (UnknownHostException notAnAddress) {
            return null;
        }
    }

    private static IpAddress parseIpv4(String text) {
        long bits = 0;
        int octets = 0;
        int from = 0;
        while (octets < 4) {
            int dot = text.indexOf('.', from);
            int to = dot < 0 ? text.length() : dot;
            if (to == from || to - from > 3 || dot < 0 != (octets == 3)) {
                return null;
            }
            int octet = 0;
            for (int i = from; i < to; i++) {
                int digit = text.charAt(i) - '0';
                if (digit < 0 || digit > 9) {
                    return null;
                }
                octet = octet * 10 + digit;
            }
            if (octet > 255) {
                return null;
            }
            bits = bits << 8 | octet;
            octets++;
            from = to + 1;
        }
        return new IpAddress(false, bits << IPV4_BITS, 0);
    }

    /** @param prefixLength 0 to 32, or to 128 for IPv6 */
    public boolean startsLike(IpAddress prefix, int prefixLength) {
        if (ipv6 != prefix.ipv6) {
            return false;
        }
        return same(high, prefix.high, Math.min(prefixLength, Long.SIZE))
                && same(low, prefix.low, Math.max(prefixLength - Long.SIZE, 0));
    }

    private static boolean same(long a, long b, int bits) {
        return bits == 0 || (a ^ b) >>> Long.SIZE - bits == 0;
    }

    InetSocketAddress withoutPort() {
        try {
            // A literal: nothing is looked up.
            return new InetSocketAddress(InetAddress.getByName(toString()), 0);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    public boolean isIpv6() {
        return ipv6;
    }

    /** @param prefixLength 0 to 32, or to 128 for IPv6; what comes after it is zero in the result */
    public IpAddress network(int prefixLength) {
        return new IpAddress(
                ipv6, high & mask(Math.min(prefixLength, Long.SIZE)), low & mask(Math.max(prefixLength - Long.SIZE, 0)));
    }

    private static long mask(int bits) {
        return bits == 0 ? 0 : -1L << Long.SIZE - bits;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IpAddress that && ipv6 == that.ipv6 && high == that.high && low == that.low;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(31 * high + low);
    }

    boolean isLoopback() {
        return ipv6 ? high == 0 && low == 1 : high >>> 56 == 127;
    }

    /** As RFC 5952 and Envoy write it. */
    @Override
    public String toString() {
        if (!ipv6) {
            int bits = (int) (high >>> IPV4_BITS);
            return (bits >>> 24) + "." + (bits >>> 16 & 0xff) + '.' + (bits >>> 8 & 0xff) + '.' + (bits & 0xff);
        }
        int longest = 1;
        int at = -1;
        int run = 0;
        for (int i = 0; i < 8; i++) {
            run = group(i) == 0 ? run + 1 : 0;
            if (run > longest) {
                longest = run;
                at = i - run + 1;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == at) {
                text.append("::");
                i += longest - 1;
                continue;
            }
            if (i > 0 && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(group(i)));
        }
        return text.toString();
    }

    private int group(int index) {
        long half = index < 4 ? high : low;
        return (int) (half >>> 48 - 16 * (index & 3)) & 0xffff;
    }
}
