package io.weft.it.comparison;

import java.util.List;

/** One of the two that are compared: it has the policy and sends requests. Thread-safe. */
interface Subject extends AutoCloseable {
    String name();

    /** From now on it is told this. Returns at once. */
    void serve(Batch batch);

    /** It is told once more what {@link #serve} has told it: a policy server may have lost it over a NACK that came late. */
    void repeat(Batch batch);

    /** The messages of the NACKs since {@link #serve}. */
    List<String> refusals();

    /** Sends a request and waits for its end. What arrives at the upstreams is in the {@link Upstreams} under the tag. */
    Answer send(Request request, Batch.Gate gate, String tag);

    /**
     * @param status 0: no response
     * @param headers lines of {@code name: value} in the order of arrival
     * @param failure empty with a response
     */
    record Answer(int status, List<String> headers, String body, String failure) {
        public Answer {
            headers = List.copyOf(headers);
        }
    }

    @Override
    void close();
}
