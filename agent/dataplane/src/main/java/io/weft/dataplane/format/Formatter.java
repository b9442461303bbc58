package io.weft.dataplane.format;

import io.weft.dataplane.Headers;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.match.DecodedQuery;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.TimePattern;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A {@link Format} made ready. Immutable; a format without operators costs nothing. */
public final class Formatter {
    private final Value[] values;
    /** The only one, as it is where it stands alone; null: there are none or several. */
    private final Value alone;
    /** Null when it holds an operator. */
    private final String text;

    /** What one part stands for; null when there is nothing. */
    @FunctionalInterface
    private interface Value {
        String of(RequestHead request, Headers response, StreamInfo info);
    }

    private Formatter(Value[] values, Value alone, String text) {
        this.values = values;
        this.alone = alone;
        this.text = text;
    }

    public static Formatter of(Format format, ProcessInfo process) {
        List<Value> values = new ArrayList<>(format.parts().size());
        for (Format.Part part : format.parts()) {
            values.add(part instanceof Format.Command command ? value(command, process) : text(((Format.Text) part).text()));
        }
        return new Formatter(values.toArray(new Value[0]), alone(format, values), format.isText() ? format.text() : null);
    }

    private static Value alone(Format format, List<Value> values) {
        if (values.size() != 1) {
            return null;
        }
        // As a JSON value it is written without its quotes, and whole: only text is cut.
        return format.parts().get(0) instanceof Format.Command command
                        && command.operator() == FormatOperator.FILTER_STATE
                        && stateAs(command).equals("TYPED")
                ? state(command, false)
                : values.get(0);
    }

    /** Null when it holds an operator. */
    public String text() {
        return text;
    }

    /**
     * @param response null before there is one
     * @param missing in the place of what is not known
     */
    public String format(RequestHead request, Headers response, StreamInfo info, String missing) {
        if (text != null) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        for (Value value : values) {
            String part = value.of(request, response, info);
            out.append(part == null ? missing : part);
        }
        return out.toString();
    }

    /**
     * The value of a format that is one operator and nothing else.
     *
     * @return null when it is not known
     */
    public String single(RequestHead request, Headers response, StreamInfo info) {
        return alone.of(request, response, info);
    }

    private static Value text(String text) {
        return (request, response, info) -> text;
    }

    private static Value value(Format.Command command, ProcessInfo process) {
        return cut(uncut(command, process), command);
    }

    private static Value cut(Value value, Format.Command command) {
        int max = command.maxLength();
        return max == Integer.MAX_VALUE ? value : (request, response, info) -> cut(value.of(request, response, info), max);
    }

    private static String cut(String value, int max) {
        return value == null || value.length() <= max ? value : value.substring(0, max);
    }

    private static Value uncut(Format.Command command, ProcessInfo process) {
        FormatOperator operator = command.operator();
        List<String> arguments = command.arguments();
        String argument = arguments.isEmpty() ? "" : arguments.get(0);
        String second = arguments.size() < 2 ? "" : arguments.get(1);
        return switch (operator) {
            case REQ -> (request, response, info) -> header(request.firstValue(argument), second.isEmpty() ? null : request.firstValue(second));
            case RESP -> (request, response, info) -> response == null
                    ? null
                    : header(response(response, info, argument), second.isEmpty() ? null : response(response, info, second));
            case PATH -> (request, response, info) -> path(request, argument, second);
            case QUERY_PARAM -> (request, response, info) -> DecodedQuery.first(request.path(), argument);
            case QUERY_PARAMS -> (request, response, info) -> query(request.path());
            case PROTOCOL -> (request, response, info) -> info.protocol();
            case RESPONSE_CODE -> (request, response, info) -> Integer.toString(info.responseCode());
            case RESPONSE_CODE_DETAILS -> (request, response, info) ->
                    withoutBlanks(info.responseCodeDetails(), argument.equals("ALLOW_WHITESPACES"));
            case RESPONSE_FLAGS -> (request, response, info) -> ResponseFlag.names(info.responseFlags(), false);
            case RESPONSE_FLAGS_LONG -> (request, response, info) -> ResponseFlag.names(info.responseFlags(), true);
            case GRPC_STATUS -> (request, response, info) -> GrpcStatus.of(request, response, argument);
            case GRPC_STATUS_NUMBER -> (request, response, info) -> GrpcStatus.of(request, response, "NUMBER");
            case LOCAL_REPLY_BODY -> (request, response, info) -> Objects.requireNonNullElse(info.localReplyBody(), "");
            case BYTES_RECEIVED -> (request, response, info) -> count(info.requestBytes());
            case BYTES_SENT -> (request, response, info) -> count(info.responseBytes());

            case START_TIME -> time(argument, process, false, false);
            case START_TIME_LOCAL -> time(argument, process, false, true);
            case EMIT_TIME -> time(argument, process, true, false);
            case EMIT_TIME_LOCAL -> time(argument, process, true, true);
            case DURATION -> (request, response, info) -> millis(info.durationNanos());
            case RESPONSE_DURATION -> (request, response, info) -> millis(info.responseNanos());
            case RESPONSE_TX_DURATION -> (request, response, info) ->
                    info.responseNanos() < 0 ? null : millis(info.durationNanos() - info.responseNanos());

            case ROUTE_NAME -> (request, response, info) -> notEmpty(info.routeName());
            case UPSTREAM_CLUSTER, UPSTREAM_CLUSTER_RAW -> (request, response, info) -> info.upstreamCluster();
            case UPSTREAM_HOST, UPSTREAM_HOST_NAME, UPSTREAM_REMOTE_ADDRESS -> (request, response, info) ->
                    withPort(info.upstreamHost());
            case UPSTREAM_HOST_NAME_WITHOUT_PORT, UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT -> (request, response, info) ->
                    withoutPort(info.upstreamHost());
            case UPSTREAM_REMOTE_PORT -> (request, response, info) -> port(info.upstreamHost());
            case UPSTREAM_REQUEST_ATTEMPT_COUNT -> (request, response, info) -> Integer.toString(info.attemptCount());

            case HOSTNAME -> text(orDash(process.hostName().get()));
            case ENVIRONMENT -> text(orDash(process.environment().get(argument)));
            case UNIQUE_ID -> (request, response, info) -> uuid(process.randomness().bits(), process.randomness().bits());
            case STREAM_ID -> (request, response, info) -> request.header("x-request-id");
            case ACCESS_LOG_TYPE -> text("DownstreamEnd");

            case DOWNSTREAM_REMOTE_ADDRESS -> (request, response, info) -> withPort(info.downstreamRemote());
            case DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT -> (request, response, info) -> withoutPort(info.downstreamRemote());
            case DOWNSTREAM_REMOTE_PORT -> (request, response, info) -> port(info.downstreamRemote());
            case DOWNSTREAM_DIRECT_REMOTE_ADDRESS -> (request, response, info) -> withPort(info.downstreamDirectRemote());
            case DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT -> (request, response, info) ->
                    withoutPort(info.downstreamDirectRemote());
            case DOWNSTREAM_DIRECT_REMOTE_PORT -> (request, response, info) -> port(info.downstreamDirectRemote());
            case DOWNSTREAM_LOCAL_ADDRESS, DOWNSTREAM_DIRECT_LOCAL_ADDRESS -> (request, response, info) ->
                    withPort(info.downstreamLocal());
            case DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT, DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT ->
                    (request, response, info) -> withoutPort(info.downstreamLocal());
            case DOWNSTREAM_LOCAL_PORT, DOWNSTREAM_DIRECT_LOCAL_PORT -> (request, response, info) ->
                    port(info.downstreamLocal());
            case FILTER_STATE -> state(command, true);
            case DOWNSTREAM_PEER_URI_SAN -> (request, response, info) -> notEmpty(info.peerUriSans());
            // Said when the policy came, see FormatOperator.known().
            default -> (request, response, info) -> null;
        };
    }

    /** A string has no fields. Typed it is JSON, and as such in quotes, unless it is a JSON value by itself. */
    private static Value state(Format.Command command, boolean amongOthers) {
        String key = command.arguments().get(0);
        String as = stateAs(command);
        if (as.equals("FIELD")) {
            return (request, response, info) -> null;
        }
        boolean quoted = amongOthers && as.equals("TYPED");
        return (request, response, info) -> {
            String value = info.filterState(key);
            return value == null || !quoted ? value : JsonText.quoted(value);
        };
    }

    private static String stateAs(Format.Command command) {
        return command.arguments().size() < 2 ? "TYPED" : command.arguments().get(1);
    }

    private static String header(String first, String otherwise) {
        return first == null ? otherwise : first;
    }

    private static String response(Headers headers, StreamInfo info, String name) {
        if (name.equals(":status")) {
            // One that is being made has it before anybody else knows it.
            String own = headers.header(name);
            return own == null ? Integer.toString(info.responseCode()) : own;
        }
        List<String> values = headers.values(name);
        return values.isEmpty() ? null : values.get(0);
    }

    private static String path(RequestHead request, String query, String source) {
        String original = source.equals("PATH") ? null : request.header("x-envoy-original-path");
        String path = original == null && !source.equals("ORIG") ? request.path() : original;
        return path == null || !query.equals("NQ") || path.indexOf('?') < 0 ? path : path.substring(0, path.indexOf('?'));
    }

    private static String query(String target) {
        int start = target.indexOf('?');
        return start < 0 ? null : target.substring(start + 1);
    }

    private static String withoutBlanks(String details, boolean asIs) {
        return details == null || asIs ? details : details.replace(' ', '_');
    }

    private static Value time(String pattern, ProcessInfo process, boolean now, boolean local) {
        TimePattern ready = pattern.isEmpty() ? TimePattern.DEFAULT : new TimePattern(pattern);
        return (request, response, info) -> {
            Instant started = now ? null : info.startTime();
            Instant time = started == null ? process.clock().instant() : started;
            return ready.format(time, local ? process.zone() : ZoneOffset.UTC);
        };
    }

    private static String millis(long nanos) {
        return nanos < 0 ? null : Long.toString(TimeUnit.NANOSECONDS.toMillis(nanos));
    }

    private static String count(long bytes) {
        return Long.toString(Math.max(0, bytes));
    }

    private static String withPort(InetSocketAddress address) {
        if (address == null) {
            return null;
        }
        String host = withoutPort(address);
        return (host.indexOf(':') < 0 ? host : '[' + host + ']') + ':' + address.getPort();
    }

    private static String withoutPort(InetSocketAddress address) {
        if (address == null) {
            return null;
        }
        InetAddress ip = address.getAddress();
        if (ip == null) {
            return address.getHostString();
        }
        return ip instanceof Inet6Address ? IpAddress.of(ip).toString() : ip.getHostAddress();
    }

    private static String port(InetSocketAddress address) {
        return address == null ? null : Integer.toString(address.getPort());
    }

    private static String notEmpty(String value) {
        return value == null || value.isEmpty() ? null : value;
    }

    /** Envoy puts the dash of a missing value into these even where others are left out. */
    private static String orDash(String value) {
        return value == null ? "-" : value;
    }

    /** Version 4. */
    private static String uuid(long high, long low) {
        return new UUID(high & ~0xF000L | 0x4000L, low & ~(3L << 62) | 1L << 63).toString();
    }
}
