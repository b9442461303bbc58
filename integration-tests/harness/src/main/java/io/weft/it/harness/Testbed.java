package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Everything that one test, or one run of a benchmark, starts; whatever is still there at its end is closed, the newest first,
 * and what the JVMs printed is printed when the test failed. In a test it is an extension in an instance field:
 * <pre>
 * &#64;RegisterExtension
 * final Testbed testbed = new Testbed();
 * </pre>
 * For one thread.
 */
public final class Testbed implements AfterEachCallback, AutoCloseable {
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final List<JvmProcess> processes = new ArrayList<>();

    /** @param name for the report */
    public JvmCommand jvm(String name, Jdk jdk) {
        return new JvmCommand(name, jdk, process -> {
            processes.add(process);
            closeAfterwards(process);
        });
    }

    public PolicyServer policyServer() {
        return policyServer(PolicyServer.Protocol.DELTA_AND_STATE_OF_THE_WORLD);
    }

    public PolicyServer policyServer(PolicyServer.Protocol protocol) {
        return closeAfterwards(PolicyServer.start(protocol));
    }

    public PolicyServer policyServer(PolicyServer.Security security) {
        return closeAfterwards(PolicyServer.start(security));
    }

    /** The real control plane. */
    public ControlPlane controlPlane(Jdk jdk) {
        return ControlPlane.start(() -> jvm("control plane", jdk), temporaryFolder());
    }

    /** An empty folder that is deleted afterwards. */
    public Path temporaryFolder() {
        try {
            Path folder = Files.createTempDirectory("weft-it");
            closeAfterwards(() -> delete(folder));
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Upstream upstream(String name) {
        return closeAfterwards(Upstream.start(name));
    }

    /** One that speaks mesh TLS. */
    public Upstream upstream(String name, SSLContext tls) {
        return closeAfterwards(Upstream.start(name, tls));
    }

    /** Of all upstreams that there are. */
    public List<RecordedRequest> requests() {
        return resources.stream().filter(Upstream.class::isInstance).map(Upstream.class::cast)
                .flatMap(upstream -> upstream.requests().stream()).toList();
    }

    /** A gRPC server. */
    public GrpcUpstream grpcUpstream(String name) {
        return closeAfterwards(GrpcUpstream.start(name));
    }

    /** One that speaks mesh TLS. */
    public GrpcUpstream grpcUpstream(String name, SSLContext tls) {
        return closeAfterwards(GrpcUpstream.start(name, tls));
    }

    public <T extends AutoCloseable> T closeAfterwards(T resource) {
        resources.push(resource);
        return resource;
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        try {
            close();
        } finally {
            if (context.getExecutionException().isPresent()) {
                report();
            }
        }
    }

    /** Prints what the JVMs printed so far. */
    public void report() {
        processes.forEach(process -> System.err.println(process.report()));
    }

    @Override
    public void close() throws Exception {
        Exception failed = null;
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (Exception e) {
                if (failed != null) {
                    e.addSuppressed(failed);
                }
                failed = e;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
