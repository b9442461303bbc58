package io.weft.instrumentation.grpc;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One stream as the mesh sees it. In the stream's turns once it has begun, but for {@link #abort}. */
final class OutgoingCall extends Exchange {
    private static final byte[] OF_ENVOY = "x-envoy-".getBytes(StandardCharsets.US_ASCII);
    private static final long MAX_TIMEOUT = 99_999_999;

    /** What the library's transports add to the app's metadata, whatever that says of them. */
    private static final List<String> OF_THE_TRANSPORT = List.of("content-type", "te", "user-agent");

    private final MeshChannel channel;
    private final MethodDescriptor<?, ?> method;
    private final Metadata headers;
    private final CallOptions options;

    /** The earliest of the app's; null: none. */
    private Deadline deadline;

    /** Written before the exchange is asked for the first time. */
    private MeshStream stream;

    OutgoingCall(MeshChannel channel, MethodDescriptor<?, ?> method, Metadata headers, CallOptions options) {
        this.channel = channel;
        this.method = method;
        this.headers = headers;
        this.options = options;
        Deadline ofContext = Context.current().getDeadline();
        Deadline ofCall = options.getDeadline();
        deadline = ofCall == null || ofContext == null ? ofCall == null ? ofContext : ofCall : ofCall.minimum(ofContext);
    }

    void drivenBy(MeshStream stream) {
        this.stream = stream;
    }

    void deadline(Deadline deadline) {
        this.deadline = deadline;
    }

    @Override
    protected void abort() {
        stream.abort();
    }

    @Override
    public String protocol() {
        return "HTTP/2";
    }

    @Override
    public String method() {
        return "POST";
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return options.getAuthority() == null ? channel.authority() : options.getAuthority();
    }

    @Override
    public String path() {
        return "/" + method.getFullMethodName();
    }

    @Override
    public boolean isGrpc() {
        return true;
    }

    @Override
    protected boolean isCall() {
        return true;
    }

    @Override
    public String header(String name) {
        return switch (name) {
            case "content-type" -> "application/grpc";
            case "te" -> "trailers";
            case "user-agent" -> channel.userAgent();
            case "grpc-timeout" -> deadline == null ? null : timeout(deadline.timeRemaining(TimeUnit.NANOSECONDS));
            default -> MetadataHeaders.joined(MetadataHeaders.values(headers, name));
        };
    }

    @Override
    public List<String> values(String name) {
        if (OF_THE_TRANSPORT.contains(name) || name.equals("grpc-timeout")) {
            String value = header(name);
            return value == null ? List.of() : List.of(value);
        }
        return MetadataHeaders.values(headers, name);
    }

    /** As finely as eight digits allow. */
    private static String timeout(long nanos) {
        long value = Math.max(0, nanos);
        if (value <= MAX_TIMEOUT) {
            return value + "n";
        }
        if (value / 1_000 <= MAX_TIMEOUT) {
            return value / 1_000 + "u";
        }
        if (value / 1_000_000 <= MAX_TIMEOUT) {
            return value / 1_000_000 + "m";
        }
        long seconds = value / 1_000_000_000;
        return seconds <= MAX_TIMEOUT ? seconds + "S" : seconds / 60 + "M";
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        byte[][] fields;
        try {
            // To ask for the names would make a set of strings of them, for each call.
            fields = InternalMetadata.serialize(headers);
        } catch (RuntimeException appsOwn) {
            // The app's own marshaller has failed; it will again, where the app sees it.
            return false;
        }
        // A name, and then its value.
        for (int i = 0; i < fields.length; i += 2) {
            byte[] name = fields[i];
            if (name.length >= OF_ENVOY.length && Arrays.equals(name, 0, OF_ENVOY.length, OF_ENVOY, 0, OF_ENVOY.length)) {
                return true;
            }
        }
        return false;
    }

    @Override
    protected boolean isComplete() {
        return stream != null && stream.isHalfClosed();
    }

    @Override
    public Replay replay() {
        return stream == null || stream.canReplay() ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }

    @Override
    public long bodyLength() {
        return stream == null ? -1 : stream.bodyLength();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = stream.copy(maxBodyBytes);
        if (body == null) {
            return null;
        }
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        for (String name : OF_THE_TRANSPORT) {
            copied.add(Map.entry(name, header(name)));
        }
        for (String name : headers.keys()) {
            if (!OF_THE_TRANSPORT.contains(name)) {
                MetadataHeaders.values(headers, name).forEach(value -> copied.add(Map.entry(name, value)));
            }
        }
        return new RequestCopy(copied, body);
    }
}
