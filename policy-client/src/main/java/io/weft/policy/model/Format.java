package io.weft.policy.model;

import java.util.List;

/**
 * A format string as Envoy reads it: text, and command operators such as {@code %REQ(x-user)%} that stand for something of the
 * request, the response or the connection. Known to be valid.
 */
public record Format(List<Part> parts) {

    public Format {
        parts = List.copyOf(parts);
    }

    public sealed interface Part {}

    public record Text(String text) implements Part {}

    /**
     * One command operator.
     *
     * @param arguments what is in the parentheses, taken apart as the operator's syntax says; empty without any
     * @param maxLength the value is cut to this many characters; {@link Integer#MAX_VALUE}: it is not
     */
    public record Command(FormatOperator operator, List<String> arguments, int maxLength) implements Part {
        public Command {
            arguments = List.copyOf(arguments);
        }

        /** Whether its value is a number, which JSON writes without quotes. */
        public boolean number() {
            return switch (operator) {
                case RESPONSE_CODE, GRPC_STATUS_NUMBER, BYTES_RECEIVED, BYTES_SENT, DURATION, RESPONSE_DURATION,
                        RESPONSE_TX_DURATION, UPSTREAM_REMOTE_PORT, UPSTREAM_REQUEST_ATTEMPT_COUNT, DOWNSTREAM_REMOTE_PORT,
                        DOWNSTREAM_DIRECT_REMOTE_PORT, DOWNSTREAM_LOCAL_PORT, DOWNSTREAM_DIRECT_LOCAL_PORT -> true;
                case GRPC_STATUS -> arguments.contains("NUMBER");
                default -> false;
            };
        }
    }

    public static Format of(String text) {
        return new Format(text.isEmpty() ? List.of() : List.of(new Text(text)));
    }

    /** Whether it is the same for every request. */
    public boolean isText() {
        return parts.isEmpty() || parts.size() == 1 && parts.get(0) instanceof Text;
    }

    /** @throws IllegalStateException if it holds an operator */
    public String text() {
        if (!isText()) {
            throw new IllegalStateException("holds an operator: " + parts);
        }
        return parts.isEmpty() ? "" : ((Text) parts.get(0)).text();
    }
}
