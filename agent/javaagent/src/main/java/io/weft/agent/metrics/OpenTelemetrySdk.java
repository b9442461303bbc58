package io.weft.agent.metrics;

import io.weft.agent.metrics.Metric.Kind;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * OpenTelemetry's SDK for metrics, 1.19 or later, as a class loader of the app has it. By reflection, since it is used every some seconds at
 * most, and since in OpenTelemetry's agent the API that its types refer to has another name.
 */
final class OpenTelemetrySdk {
    /** Stored in the classes themselves, so that it keeps none of them. */
    private static final ClassValue<OpenTelemetrySdk> KNOWN = new ClassValue<>() {
        @Override
        protected OpenTelemetrySdk computeValue(Class<?> type) {
            try {
                return new OpenTelemetrySdk(type);
            } catch (ReflectiveOperationException older) {
                throw new IllegalStateException("the app's OpenTelemetry SDK is not one of 1.19 or later as it is known: " + older
                        + "; metrics are not told by it, but weft.otlp.endpoint may be set", older);
            }
        }
    };

    private final Field sharedState;
    private final Method resource;
    private final Method name;
    private final Object scope;
    private final Object cumulative;
    private final Object delta;
    /** Null: it is no producer, or one that does not say who reads. */
    private final Field reader;
    private final Method temporality;
    private final Map<Kind, Object> instruments;
    private final Map<Kind, Type> types;
    private final Class<?> metric;
    private final Class<?> number;
    private final Class<?> histogram;
    private final Method attributes;
    private final Method put;
    private final Method putNumber;
    private final Method build;

    /**
     * What a kind of metric is to the SDK.
     *
     * @param constant of {@code MetricDataType}
     * @param data the interface of its content
     * @param getter of that: what the SDK has of its own for it may expect a class of its own
     */
    private record Type(Object constant, Class<?> data, String getter) {}

    /** @param type one of its classes that has the state that its readers share */
    private OpenTelemetrySdk(Class<?> type) throws ReflectiveOperationException {
        ClassLoader loader = type.getClassLoader();
        sharedState = type.getDeclaredField("sharedState");
        sharedState.setAccessible(true);
        resource = sharedState.getType().getMethod("getResource");
        String of = "io.opentelemetry.sdk.metrics.data.";
        metric = Class.forName(of + "MetricData", false, loader);
        name = metric.getMethod("getName");
        scope = metric.getMethod("getInstrumentationScopeInfo").getReturnType().getMethod("create", String.class).invoke(null, "io.weft");
        Class<?> temporalities = Class.forName(of + "AggregationTemporality", true, loader);
        cumulative = constant(temporalities, "CUMULATIVE");
        delta = constant(temporalities, "DELTA");
        reader = Arrays.stream(type.getDeclaredFields()).filter(field -> field.getName().equals("registeredReader")).findFirst().orElse(null);
        Class<?> instrument = Class.forName("io.opentelemetry.sdk.metrics.InstrumentType", true, loader);
        temporality = Class.forName("io.opentelemetry.sdk.metrics.export.AggregationTemporalitySelector", false, loader)
                .getMethod("getAggregationTemporality", instrument);
        instruments = Map.of(Kind.COUNTER, constant(instrument, "COUNTER"), Kind.HISTOGRAM, constant(instrument, "HISTOGRAM"));
        if (reader != null) {
            reader.setAccessible(true);
        }
        types = Map.of(
                Kind.COUNTER, new Type(type("DOUBLE_SUM"), Class.forName(of + "SumData", false, loader), "getDoubleSumData"),
                Kind.GAUGE, new Type(type("DOUBLE_GAUGE"), Class.forName(of + "GaugeData", false, loader), "getDoubleGaugeData"),
                Kind.HISTOGRAM, new Type(type("HISTOGRAM"), Class.forName(of + "HistogramData", false, loader), "getHistogramData"));
        number = Class.forName(of + "DoublePointData", false, loader);
        histogram = Class.forName(of + "HistogramPointData", false, loader);
        // The API's, wherever it is.
        attributes = number.getMethod("getAttributes").getReturnType().getMethod("builder");
        Class<?> builder = attributes.getReturnType();
        put = builder.getMethod("put", String.class, String.class);
        putNumber = builder.getMethod("put", String.class, long.class);
        build = builder.getMethod("build");
    }

    private Object type(String name) throws ReflectiveOperationException {
        return constant(metric.getMethod("getType").getReturnType(), name);
    }

    private static Object constant(Class<?> type, String name) throws ReflectiveOperationException {
        return type.getField(name).get(null);
    }

    /** @param type a class of the SDK that has the state that its readers share */
    static OpenTelemetrySdk of(Class<?> type) {
        return KNOWN.get(type);
    }

    /** What all readers of one provider share. */
    Object state(Object self) {
        try {
            return sharedState.get(self);
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    Set<String> names(Collection<?> metrics) {
        Set<String> names = new HashSet<>();
        for (Object one : metrics) {
            names.add((String) call(name, one));
        }
        return names;
    }

    /** Whether who reads from a producer prefers what has come since the last time. */
    boolean wantsDifferences(Object producer, Kind kind) {
        if (reader == null || kind == Kind.GAUGE) {
            return false;
        }
        try {
            Object registered = reader.get(producer);
            Object readers = reader.getType().getMethod("getReader").invoke(registered);
            return call(temporality, readers, instruments.get(kind)) == delta;
        } catch (ReflectiveOperationException fault) {
            throw new IllegalStateException(fault);
        }
    }

    /**
     * The metric as the SDK has metrics.
     *
     * @param differences whether it is what has come since the start, and what came before was told before
     */
    Object told(Metric told, Object state, Instant start, Instant now, boolean differences) {
        List<Object> points = new ArrayList<>();
        for (Metric.Point point : told.points()) {
            points.add(point(told, point, nanos(start), nanos(now)));
        }
        Map<String, Object> content = new HashMap<>(Map.of("getPoints", points));
        if (told.kind() != Kind.GAUGE) {
            content.put("getAggregationTemporality", differences ? delta : cumulative);
            content.put("isMonotonic", true);
        }
        Type type = types.get(told.kind());
        Object data = answers(type.data, content);
        return answers(metric, Map.of(
                "getResource", call(resource, state),
                "getInstrumentationScopeInfo", scope,
                "getName", told.name(),
                "getDescription", told.help(),
                "getUnit", told.ucum(),
                "getType", type.constant,
                "getData", data,
                type.getter, data));
    }

    private Object point(Metric told, Metric.Point point, long startNanos, long nowNanos) {
        Map<String, Object> content = new HashMap<>(Map.of(
                "getStartEpochNanos", startNanos,
                "getEpochNanos", nowNanos,
                "getAttributes", attributes(point.labels())));
        if (told.kind() != Kind.HISTOGRAM) {
            content.put("getValue", point.value());
            return answers(number, content);
        }
        List<Long> counts = new ArrayList<>();
        long count = 0;
        for (long bucket : point.counts()) {
            counts.add(bucket);
            count += bucket;
        }
        List<Double> bounds = new ArrayList<>();
        for (double bound : told.bounds()) {
            bounds.add(bound / told.perUcum());
        }
        content.put("getSum", point.value() / told.perUcum());
        content.put("getCount", count);
        content.put("getBoundaries", bounds);
        content.put("getCounts", counts);
        return answers(histogram, content);
    }

    private Object attributes(Map<String, String> labels) {
        Object builder = call(attributes, null);
        for (Map.Entry<String, String> label : labels.entrySet()) {
            if (Metric.isNumber(label.getKey())) {
                call(putNumber, builder, label.getKey(), Long.parseLong(label.getValue()));
            } else {
                call(put, builder, label.getKey(), label.getValue());
            }
        }
        return call(build, builder);
    }

    private static long nanos(Instant time) {
        return TimeUnit.SECONDS.toNanos(time.getEpochSecond()) + time.getNano();
    }

    private static Object call(Method method, Object on, Object... arguments) {
        try {
            return method.invoke(on, arguments);
        } catch (ReflectiveOperationException fault) {
            throw new IllegalStateException(fault);
        }
    }

    private static Object answers(Class<?> type, Map<String, Object> content) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, new Answers(type.getSimpleName(), content));
    }

    /** What has no answer is as good as not there: no least and no greatest value, no examples. */
    private record Answers(String type, Map<String, Object> content) implements InvocationHandler {
        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            Object answer = content.get(method.getName());
            if (answer != null) {
                return answer;
            }
            if (method.isDefault()) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
            }
            return switch (method.getName()) {
                case "toString" -> type + content;
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> proxy == arguments[0];
                default -> method.getReturnType() == List.class ? List.of() : Array.get(Array.newInstance(method.getReturnType(), 1), 0);
            };
        }
    }
}
