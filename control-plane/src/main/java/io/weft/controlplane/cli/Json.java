package io.weft.controlplane.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** What scripts read: one object, one line. */
final class Json {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    static String line(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("only maps, lists, records and plain values can be printed", e);
        }
    }

    private Json() {}
}
