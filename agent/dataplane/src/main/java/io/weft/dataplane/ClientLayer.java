package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;
import java.util.EnumSet;
import java.util.Set;

/**
 * One concern of a request that goes out. What a layer knows of a request it keeps in the {@link Exchange}; itself it is
 * immutable and thread-safe. It takes part in the phases that it names, each of which it overrides, and in no other.
 */
abstract class ClientLayer {
    /** What a layer can take part in: the method of the same name. */
    enum Phase { ATTEMPT, CONNECTED, REQUEST_SENT, OUTCOME, BROKE_OFF, RELEASE }

    /** The end of the stack, where the library does its I/O. */
    static final ClientLayer DIAL = new Dial();

    private final Set<Phase> phases;

    // The next layers that take part. One that has nothing to say is not asked: to find that out would cost every request more than
    // some layers do.
    final ClientLayer innerAttempt;
    final ClientLayer innerConnected;
    final ClientLayer innerRequestSent;
    final ClientLayer innerOutcome;
    final ClientLayer innerBrokeOff;
    final ClientLayer innerRelease;

    ClientLayer(ClientLayer inner, Phase phase, Phase... phases) {
        this.phases = EnumSet.of(phase, phases);
        innerAttempt = inner.first(Phase.ATTEMPT);
        innerConnected = inner.first(Phase.CONNECTED);
        innerRequestSent = inner.first(Phase.REQUEST_SENT);
        innerOutcome = inner.first(Phase.OUTCOME);
        innerBrokeOff = inner.first(Phase.BROKE_OFF);
        innerRelease = inner.first(Phase.RELEASE);
    }

    private ClientLayer() {
        phases = EnumSet.allOf(Phase.class);
        innerAttempt = innerConnected = innerRequestSent = innerOutcome = innerBrokeOff = innerRelease = null;
    }

    final Set<Phase> phases() {
        return phases;
    }

    /** This layer, or the first inside it that takes part in the phase. */
    final ClientLayer first(Phase phase) {
        if (phases.contains(phase)) {
            return this;
        }
        return switch (phase) {
            case ATTEMPT -> innerAttempt;
            case CONNECTED -> innerConnected;
            case REQUEST_SENT -> innerRequestSent;
            case OUTCOME -> innerOutcome;
            case BROKE_OFF -> innerBrokeOff;
            case RELEASE -> innerRelease;
        };
    }

    /**
     * Before an attempt; a layer asks {@code innerAttempt} after it has agreed.
     *
     * @return false: {@link Exchange#reply} is the answer, unless {@link Exchange#waiting}
     */
    boolean attempt(Exchange exchange) {
        throw notOverridden();
    }

    /** The attempt has its connection. Called at most once for an attempt. */
    void connected(Exchange exchange) {
        throw notOverridden();
    }

    /** All of a body that can be sent only once is sent. Called at most once for an exchange. */
    void requestSent(Exchange exchange) {
        throw notOverridden();
    }

    /** A response head came, or the attempt failed; {@code innerOutcome} hears of it first. Called once for an attempt. */
    void outcome(Exchange exchange) {
        throw notOverridden();
    }

    /** The response that was delivered does not come to its end, for that reason. Called at most once for an exchange. */
    void brokeOff(Exchange exchange, Failure failure) {
        throw notOverridden();
    }

    /**
     * The attempt is over, with its response's body where there is one. Also called when an attempt was refused half-way, and
     * for an exchange that is given up between attempts.
     */
    void release(Exchange exchange) {
        throw notOverridden();
    }

    private IllegalStateException notOverridden() {
        return new IllegalStateException(getClass().getName() + " names a phase that it does not override");
    }

    private static final class Dial extends ClientLayer {
        @Override
        boolean attempt(Exchange exchange) {
            return true;
        }

        @Override
        void connected(Exchange exchange) {}

        @Override
        void requestSent(Exchange exchange) {}

        @Override
        void outcome(Exchange exchange) {}

        @Override
        void brokeOff(Exchange exchange, Failure failure) {}

        @Override
        void release(Exchange exchange) {}
    }
}
