package io.weft.agent.otlp;

import java.io.IOException;
import java.util.Optional;

/** Who takes telemetry. Its text is where it is, for people. */
public interface Receiver {

    /**
     * @param kind the same for what is refused for the same reason
     * @param said as far as a log should have it
     */
    record Refusal(String kind, String said) {}

    /**
     * Waits until it has an answer.
     *
     * @param json of OTLP
     * @return empty: it was taken
     * @throws IOException there was no answer; says why
     */
    Optional<Refusal> send(Signal signal, String json) throws IOException;
}
