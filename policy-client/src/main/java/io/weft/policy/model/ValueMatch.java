package io.weft.policy.model;

import java.util.List;

/** {@code envoy.type.matcher.v3.ValueMatcher}: of a value as JSON has it. What is not there matches none. */
public sealed interface ValueMatch {

    record Null() implements ValueMatch {}

    record Text(StringMatch match) implements ValueMatch {}

    record Bool(boolean value) implements ValueMatch {}

    record Exactly(double number) implements ValueMatch {}

    /** Half-open. */
    record Between(double from, double to) implements ValueMatch {}

    /** Any value. */
    record Present() implements ValueMatch {}

    record Never() implements ValueMatch {}

    /** A list, one of whose elements matches. */
    record OneOf(ValueMatch element) implements ValueMatch {}

    record Or(List<ValueMatch> any) implements ValueMatch {
        public Or {
            any = List.copyOf(any);
        }
    }
}
