package io.weft.dataplane;

import java.util.EnumSet;
import java.util.Set;

/**
 * One concern of requests that come in. What a layer knows of a request it keeps in the {@link InboundExchange}; itself it is
 * thread-safe. It takes part in the phases that it names, each of which it overrides, and in no other.
 */
abstract class ServerLayer {
    /** What a layer can take part in: the method of the same name. */
    enum Phase { ENTER, REQUEST, RESPONSE, END }

    /** The end of the stack, where the app is. */
    static final ServerLayer APP = new App();

    private final Set<Phase> phases;

    // The next layers that take part: as in ClientLayer, one that has nothing to say is not asked.
    final ServerLayer innerEnter;
    final ServerLayer innerRequest;
    final ServerLayer innerResponse;
    final ServerLayer innerEnd;

    ServerLayer(ServerLayer inner, Phase phase, Phase... phases) {
        this.phases = EnumSet.of(phase, phases);
        innerEnter = inner.first(Phase.ENTER);
        innerRequest = inner.first(Phase.REQUEST);
        innerResponse = inner.first(Phase.RESPONSE);
        innerEnd = inner.first(Phase.END);
    }

    private ServerLayer() {
        phases = EnumSet.allOf(Phase.class);
        innerEnter = innerRequest = innerResponse = innerEnd = null;
    }

    final Set<Phase> phases() {
        return phases;
    }

    /** This layer, or the first inside it that takes part in the phase. */
    final ServerLayer first(Phase phase) {
        if (phases.contains(phase)) {
            return this;
        }
        return switch (phase) {
            case ENTER -> innerEnter;
            case REQUEST -> innerRequest;
            case RESPONSE -> innerResponse;
            case END -> innerEnd;
        };
    }

    /** Once for each request, before all else. */
    void enter(InboundExchange exchange) {
        throw notOverridden();
    }

    /**
     * May the app see the request? Asked again after a wait.
     *
     * @return false: {@link InboundExchange#reply} is the answer, unless {@link InboundExchange#waiting}
     */
    boolean request(InboundExchange exchange) {
        throw notOverridden();
    }

    /** The head of the app's response; {@code innerResponse} hears of it first. */
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        throw notOverridden();
    }

    /** Once for each request that entered; {@code innerEnd} hears of it first. */
    void end(InboundExchange exchange) {
        throw notOverridden();
    }

    private IllegalStateException notOverridden() {
        return new IllegalStateException(getClass().getName() + " names a phase that it does not override");
    }

    private static final class App extends ServerLayer {
        @Override
        void enter(InboundExchange exchange) {}

        @Override
        boolean request(InboundExchange exchange) {
            return true;
        }

        @Override
        void response(InboundExchange exchange, int status, ResponseHeaders headers) {}

        @Override
        void end(InboundExchange exchange) {}
    }
}
