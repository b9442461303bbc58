package io.weft.dataplane.authorize;

import java.util.concurrent.atomic.LongAdder;

/** What a rule says of a request, and how often it did. One for each rule of a policy, made with it. Thread-safe. */
final class Verdict {
    private final String rule;
    private final boolean allowed;
    private final LongAdder count = new LongAdder();

    Verdict(String rule, boolean allowed) {
        this.rule = rule;
        this.allowed = allowed;
    }

    void given() {
        count.increment();
    }

    /** The name of the policy or action that decided; {@code -} where none did and that was what decided. */
    String rule() {
        return rule;
    }

    boolean allowed() {
        return allowed;
    }

    long count() {
        return count.sum();
    }
}
