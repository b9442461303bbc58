package io.weft.agent.otlp;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** One collector at several addresses: who has answered is asked again, and when it does not, the next one is. For one thread at a time. */
final class FirstThatAnswers implements Receiver {
    private final List<Receiver> receivers;
    private int current;

    /** @param begin the index of who is asked first */
    FirstThatAnswers(List<Receiver> receivers, int begin) {
        this.receivers = receivers;
        current = begin;
    }

    @Override
    public Optional<Refusal> send(Signal signal, String json) throws IOException {
        IOException first = null;
        for (int asked = 0; asked < receivers.size(); asked++) {
            try {
                return receivers.get(current).send(signal, json);
            } catch (IOException failed) {
                current = (current + 1) % receivers.size();
                if (first == null) {
                    first = failed;
                } else {
                    first.addSuppressed(failed);
                }
            }
        }
        throw first;
    }

    @Override
    public String toString() {
        return receivers.toString();
    }
}
