package io.weft.policy.protobuf;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.BoolValue;
import io.weft.policy.proto.protobuf.BytesValue;
import io.weft.policy.proto.protobuf.DoubleValue;
import io.weft.policy.proto.protobuf.FloatValue;
import io.weft.policy.proto.protobuf.Int64Value;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.protobuf.Value;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.commons.ClassRemapper;
import org.objectweb.asm.commons.Remapper;

/** Runs the protobuf runtime in a JVM of its own, relocated as the agent's packaging relocates it. */
class FieldUnsafeTest {

    @TempDir Path relocated;

    @Test
    void messagesOfEveryKindOfFieldAndNotAWordOnStderr() throws Exception {
        relocateProtobuf();

        ProcessResult result = java(RoundTrip.class);

        assertThat(result.err()).isEmpty();
        assertThat(result.out().trim()).isEqualTo("io.weft.policy.protobuf.FieldUnsafe, 8 messages");
        assertThat(result.exit()).isZero();
    }

    private record ProcessResult(int exit, String out, String err) {}

    private ProcessResult java(Class<?> main) throws IOException, InterruptedException, URISyntaxException {
        Set<String> classPath = new LinkedHashSet<>(List.of(relocated.toString()));
        classPath.add(place(main).toString());
        classPath.add(place(FieldUnsafe.class).toString());
        classPath.add(place(Cluster.class).toString());
        Path err = relocated.resolve("stderr");
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                String.join(File.pathSeparator, classPath),
                main.getName());
        // What a JVM says about these on stderr is not what is tested.
        builder.environment().keySet().removeAll(Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));
        Process process = builder.redirectError(err.toFile()).start();
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            return new ProcessResult(process.waitFor(), text, Files.readString(err));
        }
    }

    private static Path place(Class<?> of) throws URISyntaxException {
        return Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private void relocateProtobuf() throws IOException, URISyntaxException {
        Remapper remapper = new Remapper(Opcodes.ASM9) {
            @Override
            public String map(String name) {
                if (name.equals("sun/misc/Unsafe")) {
                    return "io/weft/policy/protobuf/FieldUnsafe";
                }
                return name.replaceFirst("^java/util/logging/", "io/weft/policy/protobuf/");
            }
        };
        try (JarFile jar = new JarFile(place(MessageLite.class).toFile())) {
            for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (entry.getName().startsWith("com/google/protobuf/") && entry.getName().endsWith(".class")) {
                    ClassWriter writer = new ClassWriter(0);
                    try (InputStream in = jar.getInputStream(entry)) {
                        new ClassReader(in).accept(new ClassRemapper(writer, remapper), 0);
                    }
                    Path file = relocated.resolve(entry.getName());
                    Files.createDirectories(file.getParent());
                    Files.write(file, writer.toByteArray());
                }
            }
        }
    }

    static final class RoundTrip {
        public static void main(String[] args) throws Exception {
            List<MessageLite> messages = List.of(
                    BoolValue.newBuilder().setValue(true).build(),
                    FloatValue.newBuilder().setValue(1.5f).build(),
                    DoubleValue.newBuilder().setValue(-2.5).build(),
                    Int64Value.newBuilder().setValue(Long.MIN_VALUE).build(),
                    UInt64Value.newBuilder().setValue(-1).build(),
                    BytesValue.newBuilder().setValue(ByteString.copyFromUtf8("ü")).build(),
                    Route.newBuilder()
                            .setMatch(RouteMatch.newBuilder().setPrefix("/ü"))
                            .setRoute(RouteAction.newBuilder()
                                    .setCluster("c")
                                    .setRetryPolicy(RetryPolicy.newBuilder()
                                            .setHostSelectionRetryMaxAttempts(7)
                                            .addRetriableStatusCodes(500)
                                            .addRetriableStatusCodes(503)))
                            .putTypedPerFilterConfig("a", Any.newBuilder().setTypeUrl("t").build())
                            .build(),
                    Cluster.newBuilder()
                            .setName("c")
                            .setType(Cluster.DiscoveryType.EDS)
                            .setIgnoreHealthOnHostRemoval(true)
                            .setLeastRequestLbConfig(Cluster.LeastRequestLbConfig.newBuilder()
                                    .setActiveRequestBias(RuntimeDouble.newBuilder().setDefaultValue(0.25)))
                            .setMetadata(io.weft.policy.proto.envoy.config.core.v3.Metadata.newBuilder()
                                    .putFilterMetadata("m", Struct.newBuilder()
                                            .putFields("f", Value.newBuilder().setNumberValue(3).build())
                                            .build()))
                            .build());
            for (MessageLite message : messages) {
                MessageLite parsed = message.getParserForType().parseFrom(message.toByteArray());
                if (!parsed.equals(message) || parsed.hashCode() != message.hashCode()) {
                    throw new AssertionError(message.getClass() + ": " + parsed + " instead of " + message);
                }
                if (!message.toBuilder().clear().mergeFrom(parsed.toByteString()).build().equals(message)) {
                    throw new AssertionError(message.getClass() + " merged");
                }
            }
            Class<?> runtime = Class.forName("com.google.protobuf.UnsafeUtil").getDeclaredField("UNSAFE").getType();
            System.out.println(runtime.getName() + ", " + messages.size() + " messages");
        }
    }
}
