package io.weft.policy.parse;

import io.weft.policy.proto.protobuf.Duration;
import java.util.List;

/** Where a value stands in the resource that is being parsed, and the way to refuse or to report it. */
final class Field {
    private static final long MAX_DURATION_SECONDS = 315_576_000_000L;

    private final Field parent;
    private final String name;
    private final List<String> reported;

    private Field(Field parent, String name, List<String> reported) {
        this.parent = parent;
        this.name = name;
        this.reported = reported;
    }

    /** The resource itself. */
    static Field root(List<String> reported) {
        return new Field(null, "", reported);
    }

    Field at(String field) {
        return new Field(this, field, reported);
    }

    Field at(String field, int index) {
        return new Field(this, field + '[' + index + ']', reported);
    }

    Field at(String field, String key) {
        return new Field(this, field + "[\"" + key + "\"]", reported);
    }

    String path() {
        return parent == null || parent.parent == null ? name : parent.path() + '.' + name;
    }

    Refusal refuse(String reason) {
        return new Refusal(path(), reason);
    }

    void refuseIf(boolean bad, String field, String reason) {
        if (bad) {
            throw at(field).refuse(reason);
        }
    }

    /** It has no effect here, and that changes nothing of what the rest means. */
    void report() {
        reported.add(path());
    }

    void report(String what) {
        String path = path();
        reported.add((path.isEmpty() ? "" : path + ' ') + '(' + what + ')');
    }

    void reportIf(boolean set, String field) {
        if (set) {
            at(field).report();
        }
    }

    /** A timeout that has no effect here: reported, unless no timeout can be so. */
    void reportIf(boolean set, String field, Duration value) {
        if (set) {
            at(field).notNegative(value);
            at(field).report();
        }
    }

    java.time.Duration duration(Duration value) {
        long seconds = value.getSeconds();
        int nanos = value.getNanos();
        if (Math.abs(seconds) > MAX_DURATION_SECONDS
                || Math.abs((long) nanos) > 999_999_999L
                || seconds > 0 && nanos < 0
                || seconds < 0 && nanos > 0) {
            throw refuse("not a valid duration (seconds " + seconds + ", nanos " + nanos + ")");
        }
        return java.time.Duration.ofSeconds(seconds, nanos);
    }

    java.time.Duration notNegative(Duration value) {
        java.time.Duration duration = duration(value);
        if (duration.isNegative()) {
            throw refuse("must not be negative, is " + text(duration));
        }
        return duration;
    }

    java.time.Duration positive(Duration value) {
        java.time.Duration duration = duration(value);
        if (duration.isNegative() || duration.isZero()) {
            throw refuse("must be greater than zero, is " + text(duration));
        }
        return duration;
    }

    private static String text(java.time.Duration duration) {
        return duration.toMillis() / 1000.0 + "s";
    }

    /** A {@code uint32} that is a limit: what does not fit is no limit. */
    static int limit(int uint32) {
        return uint32 < 0 ? Integer.MAX_VALUE : uint32;
    }

    /** A {@code uint32} that is counted with. */
    int quantity(int uint32) {
        if (uint32 < 0) {
            throw refuse("must be at most " + Integer.MAX_VALUE + " here, is " + Integer.toUnsignedString(uint32));
        }
        return uint32;
    }

    /** A {@code uint32} that is a share of a hundred. */
    int percent(int uint32) {
        if (uint32 < 0 || uint32 > 100) {
            throw refuse("must be 0 to 100, is " + Integer.toUnsignedString(uint32));
        }
        return uint32;
    }

    double percent(double value) {
        if (!(value >= 0 && value <= 100)) {
            throw refuse("must be 0 to 100, is " + value);
        }
        return value;
    }

    String notEmpty(String value) {
        if (value.isEmpty()) {
            throw refuse("must not be empty");
        }
        return value;
    }

    /** The rule that Envoy's API puts on header names and values. */
    String headerText(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == 0 || c == '\r' || c == '\n') {
                throw refuse("must not contain NUL, CR or LF");
            }
        }
        return value;
    }
}
