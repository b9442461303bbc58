package io.weft.benchmarks.scale;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The streams of many agents, each with a connection of its own, over which it asks for what an agent asks for, and acknowledges it. What
 * comes is counted and forgotten. Arguments: the control plane's port, the file with a line for each: pod and token.
 *
 * <p>A line is printed when all have all that there is. Then, on standard input: {@code count} is answered with what came so far, and
 * {@code since MICROS} with how many have acknowledged routes since then, and when the last did.
 */
public final class Streams {
    private static final String TYPES = "type.googleapis.com/envoy.config.";
    private static final String CLUSTER = TYPES + "cluster.v3.Cluster";
    private static final String ENDPOINTS = TYPES + "endpoint.v3.ClusterLoadAssignment";
    private static final String LISTENER = TYPES + "listener.v3.Listener";
    private static final String ROUTES = TYPES + "route.v3.RouteConfiguration";
    private static final String HOSTS = TYPES + "route.v3.VirtualHost";
    /** What a caller says of itself: it is called, too. */
    private static final String INSTANCE = """
            {"type":"Dataplane","mesh":"default","name":"%s","networking":{"address":"127.0.0.1","inbound":[\
            {"port":8080,"state":"Ready","tags":{"kuma.io/service":"caller","kuma.io/protocol":"http"}}]}}""";
    /** Of tokens of one address no more are reviewed at once. */
    private static final int AT_ONCE = 24;
    private static final long AGAIN_MILLIS = 200;

    private static final Marshaller<byte[]> BYTES = new Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
            return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };
    private static final MethodDescriptor<byte[], byte[]> DELTA = AggregatedDiscoveryServiceGrpc.getDeltaAggregatedResourcesMethod()
            .toBuilder(BYTES, BYTES).build();

    private final EventLoopGroup loop = new NioEventLoopGroup(1);
    private final int port;
    private final Semaphore joining = new Semaphore(AT_ONCE);
    private final List<Stream> streams = new ArrayList<>();

    private Streams(int port) {
        this.port = port;
    }

    public static void main(String[] args) throws Exception {
        Streams all = new Streams(Integer.parseInt(args[0]));
        long begun = System.nanoTime();
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            all.joining.acquire();
            Stream stream = all.new Stream(line.substring(0, line.indexOf(' ')), line.substring(line.indexOf(' ') + 1));
            all.streams.add(stream);
            stream.open();
        }
        all.joining.acquire(AT_ONCE);
        System.out.println("joined=" + all.streams.size() + "&millis=" + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(line.equals("count") ? all.count() : all.since(Long.parseLong(line.substring("since ".length()))));
        }
        System.exit(0);
    }

    private String count() {
        long bytes = 0;
        long most = 0;
        long messages = 0;
        long endpoints = 0;
        long others = 0;
        long failures = 0;
        for (Stream stream : streams) {
            bytes += stream.bytes;
            most = Math.max(most, stream.bytes);
            messages += stream.messages;
            endpoints += stream.endpoints;
            others += stream.others;
            failures += stream.failures;
        }
        return "bytes=" + bytes + "&most=" + most + "&messages=" + messages + "&endpoints=" + endpoints + "&others=" + others
                + "&failures=" + failures;
    }

    private String since(long micros) {
        List<Long> acknowledged = streams.stream().map(stream -> stream.routesAcknowledged).filter(time -> time > micros).sorted().toList();
        long last = acknowledged.isEmpty() ? 0 : acknowledged.get(acknowledged.size() - 1);
        long middle = acknowledged.isEmpty() ? 0 : acknowledged.get(acknowledged.size() / 2);
        return "streams=" + acknowledged.size() + "&middle=" + (middle - micros) + "&last=" + (last - micros);
    }

    /** Confined to its connection's event loop; what is counted is read by others. */
    private final class Stream extends ClientCall.Listener<byte[]> {
        private final String pod;
        private final String token;
        private ClientCall<byte[], byte[]> call;
        private ManagedChannel channel;
        private boolean joined;
        private volatile long bytes;
        private volatile long messages;
        private volatile long endpoints;
        private volatile long others;
        private volatile long failures;
        private volatile long routesAcknowledged;

        Stream(String pod, String token) {
            this.pod = pod;
            this.token = token;
        }

        void open() {
            if (channel != null) {
                channel.shutdownNow();
            }
            channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                    .usePlaintext()
                    .eventLoopGroup(loop)
                    .channelType(NioSocketChannel.class)
                    .directExecutor()
                    .maxInboundMessageSize(64 << 20)
                    .build();
            call = channel.newCall(DELTA, CallOptions.DEFAULT);
            Metadata headers = new Metadata();
            headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
            call.start(this, headers);
            call.request(Integer.MAX_VALUE);
            send(request(CLUSTER).setNode(Node.newBuilder()
                    .setId("default." + pod)
                    .setCluster("caller")
                    .setUserAgentName("weft")
                    .addClientFeatures("io.weft.virtual-hosts")
                    .setMetadata(Struct.newBuilder()
                            .putFields("dataplane.proxyType", text("dataplane"))
                            .putFields("dataplane.resource", text(INSTANCE.formatted(pod))))));
            send(request(LISTENER));
        }

        private Value text(String text) {
            return Value.newBuilder().setStringValue(text).build();
        }

        private DeltaDiscoveryRequest.Builder request(String type) {
            return DeltaDiscoveryRequest.newBuilder().setTypeUrl(type);
        }

        private void send(DeltaDiscoveryRequest.Builder request) {
            call.sendMessage(request.build().toByteArray());
        }

        @Override
        public void onMessage(byte[] message) {
            bytes += message.length;
            messages++;
            Response response = Response.read(message);
            send(request(response.type).setResponseNonce(response.nonce));
            if (response.type.equals(CLUSTER)) {
                others += response.names.size();
                subscribe(ENDPOINTS, response.names);
            } else if (response.type.equals(LISTENER)) {
                others += response.names.size();
                subscribe(ROUTES, response.names.stream().filter(name -> name.startsWith("outbound_")).toList());
            } else if (response.type.equals(ENDPOINTS)) {
                endpoints += response.names.size();
            } else if (response.type.equals(ROUTES)) {
                others += response.names.size();
                subscribe(HOSTS, response.names);
            } else if (response.type.equals(HOSTS)) {
                others += response.names.size();
                routesAcknowledged = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
                if (!joined) {
                    joined = true;
                    joining.release();
                }
            }
        }

        private void subscribe(String type, List<String> names) {
            if (!names.isEmpty()) {
                send(request(type).addAllResourceNamesSubscribe(names));
            }
        }

        @Override
        public void onClose(io.grpc.Status status, Metadata trailers) {
            failures++;
            // Like an agent that is turned away.
            loop.schedule(this::open, AGAIN_MILLIS + new Random().nextInt((int) AGAIN_MILLIS), TimeUnit.MILLISECONDS);
        }
    }

    /** As much of a response as has to be known. */
    private record Response(String type, String nonce, List<String> names) {

        static Response read(byte[] message) {
            String type = "";
            String nonce = "";
            List<String> names = new ArrayList<>();
            try {
                CodedInputStream in = CodedInputStream.newInstance(message);
                for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                    switch (tag >>> 3) {
                        case 2 -> {
                            int limit = in.pushLimit(in.readRawVarint32());
                            for (int part = in.readTag(); part != 0; part = in.readTag()) {
                                if (part >>> 3 == 3) {
                                    names.add(in.readString());
                                } else {
                                    in.skipField(part);
                                }
                            }
                            in.popLimit(limit);
                        }
                        case 4 -> type = in.readString();
                        case 5 -> nonce = in.readString();
                        default -> in.skipField(tag);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new Response(type, nonce, names);
        }
    }
}
