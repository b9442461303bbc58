package io.weft.dataplane.hash;

import java.nio.charset.StandardCharsets;

/** xxHash, 64 bits (<a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">specification</a>). */
public final class XxHash64 {
    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;

    private XxHash64() {}

    public static long hash(byte[] bytes, long seed) {
        return hashOctets(octets(bytes), 0, bytes.length, seed);
    }

    /** A character for each octet: what HTTP carries comes as a string, and is hashed without a copy. */
    private static String octets(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /**
     * A part of a header or of a request's target. Allocates nothing while the text is what HTTP carries, octets; else its
     * UTF-8 is hashed.
     */
    public static long hash(String text, int from, int to) {
        return hash(text, from, to, 0);
    }

    public static long hash(String text) {
        return hash(text, 0, text.length(), 0);
    }

    public static long hash(String text, long seed) {
        return hash(text, 0, text.length(), seed);
    }

    private static long hash(String text, int from, int to, long seed) {
        int seen = 0;
        for (int i = from; i < to; i++) {
            seen |= text.charAt(i);
        }
        return seen > 0xff ? hash(text.substring(from, to).getBytes(StandardCharsets.UTF_8), seed) : hashOctets(text, from, to, seed);
    }

    private static long hashOctets(String text, int from, int to, long seed) {
        int at = from;
        long hash;
        if (to - from >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; to - at >= 32; at += 32) {
                a = round(a, eight(text, at));
                b = round(b, eight(text, at + 8));
                c = round(c, eight(text, at + 16));
                d = round(d, eight(text, at + 24));
            }
            hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
            hash = merge(merge(merge(merge(hash, a), b), c), d);
        } else {
            hash = seed + P5;
        }
        hash += to - from;
        for (; to - at >= 8; at += 8) {
            hash = Long.rotateLeft(hash ^ round(0, eight(text, at)), 27) * P1 + P4;
        }
        if (to - at >= 4) {
            hash = Long.rotateLeft(hash ^ four(text, at) * P1, 23) * P2 + P3;
            at += 4;
        }
        for (; at < to; at++) {
            hash = Long.rotateLeft(hash ^ text.charAt(at) * P5, 11) * P1;
        }
        hash = (hash ^ hash >>> 33) * P2;
        hash = (hash ^ hash >>> 29) * P3;
        return hash ^ hash >>> 32;
    }

    /** Four octets, the first one lowest. */
    private static long four(String text, int at) {
        return text.charAt(at) | text.charAt(at + 1) << 8 | text.charAt(at + 2) << 16 | (long) text.charAt(at + 3) << 24;
    }

    private static long eight(String text, int at) {
        return four(text, at) | four(text, at + 4) << 32;
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * P2, 31) * P1;
    }

    private static long merge(long hash, long lane) {
        return (hash ^ round(0, lane)) * P1 + P4;
    }
}
