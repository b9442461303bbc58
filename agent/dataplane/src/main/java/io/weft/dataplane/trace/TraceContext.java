package io.weft.dataplane.trace;

import io.weft.dataplane.RequestChanges;
import io.weft.dataplane.RequestHead;
import java.nio.charset.StandardCharsets;

/**
 * What headers say of the span that a request belongs to: W3C's {@code traceparent}, or B3's {@code b3} or {@code x-b3-…}. Of several
 * the first that is valid counts, and all that are there are written anew. Immutable.
 */
final class TraceContext {
    /** Whether its spans are kept. */
    enum Sampled { YES, NO, UNDECIDED }

    static final String TRACEPARENT = "traceparent";
    private static final String B3 = "b3";
    private static final String B3_TRACE = "x-b3-traceid";
    private static final String B3_SPAN = "x-b3-spanid";
    private static final String B3_PARENT = "x-b3-parentspanid";
    private static final String B3_SAMPLED = "x-b3-sampled";
    private static final String B3_FLAGS = "x-b3-flags";

    // In which headers the context came, and goes on.
    private static final int BY_TRACEPARENT = 1;
    private static final int BY_SINGLE = 2;
    private static final int BY_MULTIPLE = 4;

    /** Of a request that belongs to none. */
    private static final TraceContext NONE = new TraceContext(0, 0, 0, Sampled.UNDECIDED, BY_TRACEPARENT);
    /** Of one whose trace nobody keeps: no more is to be known of it. */
    private static final TraceContext REFUSED = new TraceContext(0, 0, 0, Sampled.NO, 0);
    private static final int TRACEPARENT_LENGTH = 55;

    private final long high;
    private final long low;
    private final long span;
    private final Sampled sampled;
    private final int headers;

    private TraceContext(long high, long low, long span, Sampled sampled, int headers) {
        this.high = high;
        this.low = low;
        this.span = span;
        this.sampled = sampled;
        this.headers = headers;
    }

    /** What is not valid says nothing, as the specifications have it. */
    static TraceContext of(RequestHead head) {
        String parent = head.header(TRACEPARENT);
        String single = head.header(B3);
        String trace = head.header(B3_TRACE);
        String decision = head.header(B3_SAMPLED);
        String flags = head.header(B3_FLAGS);
        int headers = (parent == null ? 0 : BY_TRACEPARENT) | (single == null ? 0 : BY_SINGLE)
                | (trace == null && decision == null && flags == null ? 0 : BY_MULTIPLE);
        if (headers == 0) {
            return NONE;
        }
        TraceContext context = parent == null ? null : ofTraceparent(parent, headers);
        if (context == null && single != null) {
            context = ofSingle(single, headers);
        }
        if (context == null && (headers & BY_MULTIPLE) != 0) {
            context = ofMultiple(trace, head.header(B3_SPAN), "1".equals(flags) ? "d" : decision, headers);
        }
        return context == null ? new TraceContext(0, 0, 0, Sampled.UNDECIDED, headers) : context;
    }

    private static TraceContext ofTraceparent(String text, int headers) {
        boolean shaped = text.length() >= TRACEPARENT_LENGTH && text.charAt(2) == '-' && text.charAt(35) == '-' && text.charAt(52) == '-'
                && isHex(text, 0, 2) && isHex(text, 3, 35) && isHex(text, 36, 52) && isHex(text, 53, 55);
        if (!shaped || text.startsWith("ff") || text.length() > TRACEPARENT_LENGTH && (text.startsWith("00") || text.charAt(55) != '-')) {
            return null;
        }
        Sampled sampled = (hex(text, 53, 55) & 1) == 1 ? Sampled.YES : Sampled.NO;
        return identified(hex(text, 3, 19), hex(text, 19, 35), hex(text, 36, 52), sampled, headers);
    }

    private static TraceContext ofSingle(String text, int headers) {
        String[] parts = text.split("-", -1);
        return parts.length == 1
                ? undecided(decision(text), headers)
                : ofB3(parts[0], parts[1], parts.length == 2 ? null : parts[2], headers);
    }

    private static TraceContext ofMultiple(String trace, String span, String decision, int headers) {
        return trace == null || span == null
                ? undecided(decision(decision), headers)
                : ofB3(trace, span, decision, headers);
    }

    /** @param decision null: none */
    private static TraceContext ofB3(String trace, String span, String decision, int headers) {
        boolean shaped = (trace.length() == 16 || trace.length() == 32) && span.length() == 16 && isHex(trace, 0, trace.length())
                && isHex(span, 0, 16);
        if (!shaped) {
            return null;
        }
        long high = trace.length() == 32 ? hex(trace, 0, 16) : 0;
        return identified(high, hex(trace, trace.length() - 16, trace.length()), hex(span, 0, 16), decision(decision), headers);
    }

    private static Sampled decision(String text) {
        return switch (text == null ? "" : text) {
            case "1", "d", "true" -> Sampled.YES;
            case "0", "false" -> Sampled.NO;
            default -> Sampled.UNDECIDED;
        };
    }

    /** @return null: these are no names */
    private static TraceContext identified(long high, long low, long span, Sampled sampled, int headers) {
        if ((high | low) == 0 || span == 0) {
            return null;
        }
        return sampled == Sampled.NO ? REFUSED : new TraceContext(high, low, span, sampled, headers);
    }

    /** Which trace it is has not been decided. */
    private static TraceContext undecided(Sampled sampled, int headers) {
        return sampled == Sampled.NO ? REFUSED : new TraceContext(0, 0, 0, sampled, headers);
    }

    private static boolean isHex(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (!(c >= '0' && c <= '9' || c >= 'a' && c <= 'f')) {
                return false;
            }
        }
        return true;
    }

    private static long hex(String text, int from, int to) {
        return Long.parseUnsignedLong(text, from, to, 16);
    }

    /** Whether the request says nothing of a trace. */
    boolean isNone() {
        return this == NONE;
    }

    /** Whether it names a span. */
    boolean isIdentified() {
        return span != 0;
    }

    Sampled sampled() {
        return sampled;
    }

    /** A new trace without a span so far, told in the same headers. */
    TraceContext begin(long newHigh, long newLow, boolean isSampled) {
        return new TraceContext(newHigh, newLow, 0, isSampled ? Sampled.YES : Sampled.NO, headers);
    }

    /** The same, decided. */
    TraceContext decided(boolean isSampled) {
        return new TraceContext(high, low, span, isSampled ? Sampled.YES : Sampled.NO, headers);
    }

    String traceId() {
        return hex(high) + hex(low);
    }

    /** Null: none. */
    String spanId() {
        return span == 0 ? null : hex(span);
    }

    /** 16 digits. */
    static String hex(long bits) {
        String digits = Long.toHexString(bits);
        return "0".repeat(16 - digits.length()) + digits;
    }

    /** A {@link #TRACEPARENT} by which nobody further on begins a trace in the middle of this one, which nobody keeps. */
    static String refusal(long high, long low, long span) {
        byte[] text = new byte[TRACEPARENT_LENGTH];
        text[0] = '0';
        text[1] = '0';
        text[2] = '-';
        hex(high, text, 3);
        hex(low, text, 19);
        text[35] = '-';
        hex(span, text, 36);
        text[52] = '-';
        text[53] = '0';
        text[54] = '0';
        return new String(text, StandardCharsets.ISO_8859_1);
    }

    private static void hex(long bits, byte[] to, int from) {
        for (int i = 0; i < 16; i++) {
            to[from + i] = (byte) "0123456789abcdef".charAt((int) (bits >>> 60 - 4 * i) & 15);
        }
    }

    /** Has whoever gets the request hear of a span that is a child of the one that this names. */
    RequestChanges tell(RequestChanges changes, String child) {
        String trace = traceId();
        boolean kept = sampled == Sampled.YES;
        RequestChanges told = changes;
        if ((headers & BY_TRACEPARENT) != 0) {
            told = told.andSet(TRACEPARENT, "00-" + trace + '-' + child + (kept ? "-01" : "-00"));
        }
        if ((headers & BY_SINGLE) != 0) {
            told = told.andSet(B3, trace + '-' + child + (kept ? "-1" : "-0"));
        }
        if ((headers & BY_MULTIPLE) != 0) {
            told = told.andSet(B3_TRACE, trace).andSet(B3_SPAN, child).andSet(B3_SAMPLED, kept ? "1" : "0");
            told = span == 0 ? told : told.andSet(B3_PARENT, spanId());
        }
        return told;
    }
}
