package io.weft.controlplane.cli;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Internal;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Messages as an Envoy writes them in JSON: with the fields' own names, and what is packed with its type. For one thread. */
final class EnvoyJson {
    /** Below these, classes are named as their messages. */
    private static final List<String> PACKAGES = List.of("io.envoyproxy.", "com.github.", "com.github.udpa.", "com.");

    private static final String ANY = Any.getDescriptor().getFullName();

    private final Map<String, Descriptor> types = new HashMap<>();

    String of(Message message) throws InvalidProtocolBufferException {
        find(message);
        return JsonFormat.printer()
                .usingTypeRegistry(TypeRegistry.newBuilder().add(types.values()).build())
                .preservingProtoFieldNames()
                .print(message) + '\n';
    }

    /** The types of all that is packed in it, however deep. */
    private void find(Message message) throws InvalidProtocolBufferException {
        if (message.getDescriptorForType().getFullName().equals(ANY)) {
            Any any = Any.parseFrom(message.toByteString());
            packed(any.getTypeUrl(), any.getValue());
            return;
        }
        for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
            if (field.getKey().getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
                continue;
            }
            if (field.getValue() instanceof List<?> several) {
                for (Object each : several) {
                    find((Message) each);
                }
            } else {
                find((Message) field.getValue());
            }
        }
    }

    private void packed(String typeUrl, ByteString content) throws InvalidProtocolBufferException {
        String type = typeUrl.substring(typeUrl.lastIndexOf('/') + 1);
        find(DynamicMessage.parseFrom(types.computeIfAbsent(type, EnvoyJson::descriptor), content));
    }

    private static Descriptor descriptor(String type) {
        for (String prefix : PACKAGES) {
            try {
                Class<?> found = Class.forName(prefix + type, false, EnvoyJson.class.getClassLoader());
                if (Message.class.isAssignableFrom(found)) {
                    return Internal.getDefaultInstance(found.asSubclass(Message.class)).getDescriptorForType();
                }
            } catch (ClassNotFoundException next) {
                continue;
            }
        }
        return unknown(type);
    }

    /** One without fields, so that the type is told and what it says is not: nobody here knows what that means. */
    private static Descriptor unknown(String type) {
        int name = type.lastIndexOf('.');
        try {
            return FileDescriptor.buildFrom(
                    FileDescriptorProto.newBuilder()
                            .setName(type)
                            .setPackage(name < 0 ? "" : type.substring(0, name))
                            .addMessageType(DescriptorProto.newBuilder().setName(type.substring(name + 1)))
                            .build(),
                    new FileDescriptor[0]).getMessageTypes().get(0);
        } catch (DescriptorValidationException noName) {
            throw new IllegalArgumentException("'" + type + "' is no name of a type", noName);
        }
    }
}
