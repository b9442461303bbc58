package io.weft.it.harness;

import com.google.protobuf.Any;
import com.google.protobuf.Internal;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A whole configuration as a real kuma-cp served it to one of its data planes, see {@code kuma/README.md} among the resources. Where
 * it has placeholders, there are loopback addresses and the certificates of a test; the percent signs of format strings are single.
 *
 * @param policy of which policy and case, as in {@code meshretry-outbound}
 * @param dataPlane to which it was served, {@code demo-client} or {@code test-server}
 */
public record KumaConfiguration(String policy, String dataPlane) {
    private static final String NO_POLICIES = "no-policies";
    private static final Pattern TYPE = Pattern.compile("\"type.googleapis.com/([\\w.]+)\"");

    public static Stream<KumaConfiguration> all() {
        return Stream.of(
                        NO_POLICIES, "meshaccesslog-outbound", "meshcircuitbreaker-outbound", "meshfaultinjection-inbound-rules",
                        "meshloadbalancingstrategy-outbound-ringhash", "meshratelimit-inbound-rules", "meshretry-outbound",
                        "meshtimeout-outbound", "meshtls-inbound-permissive-rules", "meshtrafficpermission-inbound-rules")
                .flatMap(policy -> Stream.of("demo-client", "test-server").map(dataPlane -> new KumaConfiguration(policy, dataPlane)));
    }

    /** @param own the certificate of the data plane */
    public Policy policy(Authority authority, Certified own) {
        Policy policy = Policy.empty();
        for (String file : policy().equals(NO_POLICIES) ? List.of(NO_POLICIES) : List.of(NO_POLICIES, policy())) {
            for (Message resource : resources(file + '.' + dataPlane, authority, own)) {
                policy = with(policy, resource);
            }
        }
        return policy;
    }

    private static List<Message> resources(String file, Authority authority, Certified own) {
        try (InputStream in = KumaConfiguration.class.getResourceAsStream("/kuma/" + file + ".json")) {
            String json = filled(new String(in.readAllBytes(), StandardCharsets.UTF_8), authority, own);
            DiscoveryResponse.Builder response = DiscoveryResponse.newBuilder();
            JsonFormat.parser().usingTypeRegistry(types(json)).merge(json, response);
            List<Message> resources = new ArrayList<>();
            for (Any resource : response.getResourcesList()) {
                resources.add(resource.unpack(type(resource.getTypeUrl().substring(resource.getTypeUrl().indexOf('/') + 1))));
            }
            return resources;
        } catch (IOException e) {
            throw new UncheckedIOException(file, e);
        }
    }

    private static String filled(String json, Authority authority, Certified own) {
        String ca = base64(Certified.pem(authority.certificate()));
        String certificate = base64(own.certificatePem());
        String key = base64(own.keyPem());
        return json.replaceAll("\"%([\\w-]+)%\"", "\"$1\"")
                .replace("%%", "%")
                .replace("\"IP_REDACTED\"", "\"127.0.0.1\"")
                .replace("\"ADMIN_REDACTED\"", "\"127.0.0.1\"")
                .replaceAll("\"certificateChain\": \\{\\s*\"inlineBytes\": \"[^\"]*\"", "\"certificateChain\": {\"inlineBytes\": \"" + certificate + "\"")
                .replaceAll("\"privateKey\": \\{\\s*\"inlineBytes\": \"[^\"]*\"", "\"privateKey\": {\"inlineBytes\": \"" + key + "\"")
                .replaceAll("\"trustedCa\": \\{\\s*\"inlineBytes\": \"[^\"]*\"", "\"trustedCa\": {\"inlineBytes\": \"" + ca + "\"");
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static JsonFormat.TypeRegistry types(String json) {
        JsonFormat.TypeRegistry.Builder types = JsonFormat.TypeRegistry.newBuilder();
        for (Matcher type = TYPE.matcher(json); type.find();) {
            types.add(Internal.getDefaultInstance(type(type.group(1))).getDescriptorForType());
        }
        return types.build();
    }

    /** @param name full, of a message of Envoy's API */
    @SuppressWarnings("unchecked")
    public static Class<? extends Message> type(String name) {
        String java = name.startsWith("xds.") ? "com.github." + name : "io.envoyproxy." + name;
        try {
            return (Class<? extends Message>) Class.forName(java);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Policy with(Policy policy, Message resource) {
        if (resource instanceof Cluster cluster) {
            return policy.cluster(cluster);
        }
        if (resource instanceof ClusterLoadAssignment assignment) {
            return policy.endpoints(assignment);
        }
        if (resource instanceof Listener listener) {
            return policy.listener(listener);
        }
        return policy.secret((Secret) resource);
    }
}
