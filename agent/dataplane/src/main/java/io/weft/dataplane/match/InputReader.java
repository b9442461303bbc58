package io.weft.dataplane.match;

import io.weft.dataplane.Caller;
import io.weft.dataplane.Connection;
import io.weft.dataplane.IpAddress;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.MatchTree.Input;
import io.weft.policy.model.MatchTree.QueryParameter;
import io.weft.policy.model.MatchTree.RequestHeader;

/** An {@link Input} made ready. Immutable; allocates nothing, a query parameter and an address in a header excepted. */
abstract sealed class InputReader {

    /** @return null when there is no value */
    abstract String text(Caller caller);

    /** @return null when the value is no IP address */
    IpAddress address(Caller caller) {
        String text = text(caller);
        return text == null ? null : IpAddress.parse(text);
    }

    static InputReader of(Input input) {
        if (input instanceof RequestHeader header) {
            return new OfHeader(header.name());
        }
        if (input instanceof QueryParameter parameter) {
            return new OfQuery(parameter.name());
        }
        return new OfConnection((ConnectionInput) input);
    }

    private static final class OfConnection extends InputReader {
        private final ConnectionInput input;

        OfConnection(ConnectionInput input) {
            this.input = input;
        }

        @Override
        String text(Caller caller) {
            Connection.Texts texts = caller.connection().texts();
            return switch (input) {
                case SOURCE_IP -> {
                    IpAddress client = caller.clientIp();
                    yield client == caller.connection().remoteIp() ? texts.remoteIp : client.toString();
                }
                case URI_SAN -> texts.uriSans;
                case DNS_SAN -> texts.dnsSans;
                case SUBJECT -> texts.subject;
                case SERVER_NAME -> texts.serverName;
                case DIRECT_SOURCE_IP -> texts.remoteIp;
                case SOURCE_PORT -> texts.remotePort;
                case DESTINATION_IP -> texts.localIp;
                case DESTINATION_PORT -> texts.localPort;
                case SOURCE_TYPE -> texts.sourceType;
            };
        }

        @Override
        IpAddress address(Caller caller) {
            return switch (input) {
                case SOURCE_IP -> caller.clientIp();
                case DIRECT_SOURCE_IP -> caller.connection().remoteIp();
                case DESTINATION_IP -> caller.connection().localIp();
                default -> super.address(caller);
            };
        }
    }

    private static final class OfHeader extends InputReader {
        private final String name;

        OfHeader(String name) {
            this.name = name;
        }

        @Override
        String text(Caller caller) {
            return caller.head().value(name);
        }
    }

    private static final class OfQuery extends InputReader {
        private final String name;

        OfQuery(String name) {
            this.name = name;
        }

        @Override
        String text(Caller caller) {
            String target = caller.head().path();
            int start = target.indexOf('?') + 1;
            if (start == 0) {
                return null;
            }
            while (start <= target.length()) {
                int end = target.indexOf('&', start);
                end = end < 0 ? target.length() : end;
                int equals = target.indexOf('=', start);
                int nameEnd = equals < 0 || equals > end ? end : equals;
                if (decoded(target, start, nameEnd).equals(name)) {
                    return nameEnd == end ? "" : decoded(target, nameEnd + 1, end);
                }
                start = end + 1;
            }
            return null;
        }

        /** What is no escape sequence stays as it is, and so does a plus sign, as in Envoy. */
        private static String decoded(String target, int from, int to) {
            String raw = target.substring(from, to);
            return raw.indexOf('%') < 0 ? raw : PercentDecoder.decode(raw);
        }
    }
}
