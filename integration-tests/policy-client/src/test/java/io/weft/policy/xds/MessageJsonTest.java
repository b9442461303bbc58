package io.weft.policy.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Timestamp;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.type.v3.Percent;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is written without descriptors is what Protobuf writes by them: every field of every message that is known here. */
class MessageJsonTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeRegistry PACKED = TypeRegistry.newBuilder()
            .add(List.of(Percent.getDescriptor(), UInt32Value.getDescriptor())).build();
    private static final JsonFormat.Printer PRINTER = JsonFormat.printer().preservingProtoFieldNames().usingTypeRegistry(PACKED);
    /** Kept as bytes by the policy client. */
    private static final Set<String> UNREADABLE = Set.of(
            "envoy.config.rbac.v3.Policy.condition", "envoy.config.rbac.v3.Policy.checked_condition",
            "envoy.extensions.common.matching.v3.ExtensionWithMatcher.matcher");
    private static final Comparator<JsonNode> NUMBERS = (one, other) ->
            one.equals(other) || one.isNumber() && other.isNumber() && one.asDouble() == other.asDouble() ? 0 : 1;

    @Test
    void everyFieldOfEveryMessage() throws Exception {
        int compared = 0;
        for (Descriptor type : types()) {
            MessageLite none = lite(type);
            if (none == null) {
                continue;
            }
            for (int choice = 0; choice < choices(type); choice++) {
                Message full = filled(type, choice, 2);
                MessageLite lite = none.getParserForType().parseFrom(full.toByteString());
                JsonNode expected = JSON.readTree(PRINTER.print(full));
                JsonNode written = JSON.readTree(written(lite));
                assertThat(expected.equals(NUMBERS, written)).as("%s:%n%s%nnot%n%s", type.getFullName(), written, expected).isTrue();
            }
            compared++;
        }
        assertThat(compared).isGreaterThan(300);
    }

    @Test
    void whatIsPackedAndNotKnownHasItsTypeOnly() throws Exception {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            MessageJson messages = new MessageJson(json);
            json.writeStartArray();
            messages.packed("type.googleapis.com/istio.networking.Unheard", ByteString.copyFromUtf8("\n\u0001x"));
            messages.packed("type.googleapis.com/envoy.type.v3.Percent", ByteString.copyFromUtf8("\u0001"));
            json.writeEndArray();
        }
        assertThat(text.toString()).isEqualTo("[{\"@type\":\"type.googleapis.com/istio.networking.Unheard\"},"
                + "{\"@type\":\"type.googleapis.com/envoy.type.v3.Percent\"}]");
    }

    private static String written(MessageLite message) throws Exception {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            new MessageJson(json).value(message);
        }
        return text.toString();
    }

    private static List<Descriptor> types() {
        Map<String, FileDescriptor> files = new LinkedHashMap<>();
        Stream.of(Cluster.getDescriptor(), ClusterLoadAssignment.getDescriptor(), Listener.getDescriptor(), RouteConfiguration.getDescriptor(),
                        HttpConnectionManager.getDescriptor(), Router.getDescriptor(), RBAC.getDescriptor(), LocalRateLimit.getDescriptor(),
                        JwtAuthentication.getDescriptor(), Secret.getDescriptor(), UpstreamTlsContext.getDescriptor(),
                        HttpProtocolOptions.getDescriptor())
                .forEach(type -> add(type.getFile(), files));
        List<Descriptor> types = new ArrayList<>();
        files.values().forEach(file -> file.getMessageTypes().forEach(type -> add(type, types)));
        return types;
    }

    private static void add(FileDescriptor file, Map<String, FileDescriptor> files) {
        if (files.putIfAbsent(file.getFullName(), file) == null) {
            file.getDependencies().forEach(each -> add(each, files));
        }
    }

    private static void add(Descriptor type, List<Descriptor> types) {
        if (!type.getOptions().getMapEntry()) {
            types.add(type);
            type.getNestedTypes().forEach(each -> add(each, types));
        }
    }

    /** Null: the policy client has none of that type. */
    private static MessageLite lite(Descriptor type) throws ReflectiveOperationException {
        String outer = type.getFile().getPackage();
        String name = type.getFullName().substring(outer.length() + 1).replace('.', '$');
        String own = outer.startsWith("google.") ? outer.substring("google.".length()) : outer;
        try {
            return (MessageLite) Class.forName("io.weft.policy.proto." + own + "." + name).getMethod("getDefaultInstance").invoke(null);
        } catch (ClassNotFoundException none) {
            return null;
        }
    }

    private static int choices(Descriptor type) {
        return type.getOneofs().stream().mapToInt(OneofDescriptor::getFieldCount).max().orElse(1);
    }

    /** @param choice which of the fields that exclude each other */
    private static Message filled(Descriptor type, int choice, int depth) {
        if (type.equals(Any.getDescriptor())) {
            Message packed = choice % 2 == 0 ? Percent.newBuilder().setValue(2.5).build() : UInt32Value.of(5);
            return Any.pack(packed);
        }
        // Of these not every content is one that can be written.
        Message special = Map.of(
                "google.protobuf.Duration", Duration.newBuilder().setSeconds(3).setNanos(choice == 0 ? 20_000_000 : 7_000).build(),
                "google.protobuf.Timestamp", Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(5_000_000).build(),
                "google.protobuf.Value", Value.newBuilder().setNumberValue(2.5).build()).get(type.getFullName());
        if (special != null) {
            return special;
        }
        DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
        for (FieldDescriptor field : type.getFields()) {
            OneofDescriptor oneOf = field.getContainingOneof();
            boolean chosen = oneOf == null || oneOf.getFields().indexOf(field) == choice % oneOf.getFieldCount();
            boolean deeper = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
            if (!chosen || UNREADABLE.contains(field.getFullName()) || deeper && depth == 0) {
                continue;
            }
            if (field.isMapField()) {
                message.addRepeatedField(field, filled(field.getMessageType(), choice, depth - 1));
            } else if (field.isRepeated()) {
                message.addRepeatedField(field, value(field, choice, depth)).addRepeatedField(field, value(field, choice, depth));
            } else {
                message.setField(field, value(field, choice, depth));
            }
        }
        return message.build();
    }

    private static Object value(FieldDescriptor field, int choice, int depth) {
        return switch (field.getJavaType()) {
            case INT -> 7;
            case LONG -> 1L << 40;
            case FLOAT -> 0.5f;
            case DOUBLE -> 1e-7;
            case BOOLEAN -> true;
            case STRING -> "text \u00e4";
            case BYTE_STRING -> ByteString.copyFromUtf8("\u00ff\u0000x");
            case ENUM -> last(field.getEnumType());
            case MESSAGE -> filled(field.getMessageType(), choice, depth - 1);
        };
    }

    private static Object last(EnumDescriptor type) {
        return type.getValues().get(type.getValues().size() - 1);
    }
}
