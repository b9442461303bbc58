package io.weft.policy.parse;

import com.google.protobuf.GeneratedMessageLite;
import com.google.protobuf.MessageLite;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What the generated lite classes say about the messages of Envoy's API, as their descriptors would. */
final class ApiMessages {
    private static final String PACKAGE = "io.weft.policy.proto.";

    enum Label { SINGLE, REPEATED, MAP }

    /**
     * @param name as in the proto file
     * @param camel as in the names of the generated methods
     * @param message null: not a message
     */
    record ApiField(int number, String name, String camel, Label label, Class<?> message) {}

    private ApiMessages() {}

    /** All generated messages, by full name. */
    static Map<String, Class<?>> all() {
        Map<String, Class<?>> all = new TreeMap<>();
        try {
            Path classes = Path.of(Cluster.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            try (Stream<Path> files = Files.walk(classes.resolve(PACKAGE.replace('.', '/')))) {
                for (Path file : (Iterable<Path>) files.filter(f -> f.toString().endsWith(".class"))::iterator) {
                    String name = classes.relativize(file).toString().replace('/', '.');
                    Class<?> type = Class.forName(name.substring(0, name.length() - ".class".length()), false, Cluster.class.getClassLoader());
                    if (GeneratedMessageLite.class.isAssignableFrom(type)) {
                        all.put(name(type), type);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException | ClassNotFoundException e) {
            throw new AssertionError(e);
        }
        return all;
    }

    static String name(Class<?> message) {
        String name = message.getName().substring(PACKAGE.length()).replace('$', '.');
        return name.startsWith("protobuf.") || name.startsWith("rpc.") ? "google." + name : name;
    }

    /** In the order of their numbers. */
    static List<ApiField> fields(Class<?> message) {
        List<ApiField> fields = new ArrayList<>();
        for (Field constant : message.getDeclaredFields()) {
            if (!constant.getName().endsWith("_FIELD_NUMBER")) {
                continue;
            }
            String name = constant.getName().substring(0, constant.getName().length() - "_FIELD_NUMBER".length());
            try {
                fields.add(field(message, name.toLowerCase(Locale.ROOT), constant.getInt(null)));
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
        fields.sort(Comparator.comparingInt(ApiField::number));
        return fields;
    }

    private static ApiField field(Class<?> message, String name, int number) {
        String camel = name.replace("_", "");
        for (Method method : message.getMethods()) {
            String getter = method.getName();
            if (method.getParameterCount() > 0 || !getter.startsWith("get")) {
                continue;
            }
            String rest = getter.substring(3);
            if (rest.equalsIgnoreCase(camel + "Map") && Map.class.equals(method.getReturnType())) {
                return of(number, name, rest.substring(0, rest.length() - 3), Label.MAP, argument(method, 1));
            }
            if (rest.equalsIgnoreCase(camel + "List") && List.class.equals(method.getReturnType())) {
                return of(number, name, rest.substring(0, rest.length() - 4), Label.REPEATED, argument(method, 0));
            }
        }
        for (Method method : message.getMethods()) {
            if (method.getParameterCount() == 0 && method.getName().equalsIgnoreCase("get" + camel)) {
                return of(number, name, method.getName().substring(3), Label.SINGLE, method.getReturnType());
            }
        }
        throw new AssertionError(message + " has no getter for " + name);
    }

    private static Type argument(Method method, int index) {
        return ((ParameterizedType) method.getGenericReturnType()).getActualTypeArguments()[index];
    }

    private static ApiField of(int number, String name, String camel, Label label, Type type) {
        boolean message = type instanceof Class<?> c && MessageLite.class.isAssignableFrom(c);
        return new ApiField(number, name, camel, label, message ? (Class<?>) type : null);
    }

    static boolean isOf(Class<?> message, String... packages) {
        return Arrays.stream(packages).anyMatch(name(message)::startsWith);
    }
}
