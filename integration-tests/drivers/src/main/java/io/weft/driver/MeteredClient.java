package io.weft.driver;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.metrics.InstrumentType;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.LongPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code java.net.http.HttpClient} in an app that counts its requests with OpenTelemetry's SDK, as its own code and its instrumentation
 * do. What an exporter gets is printed on stderr, a line for each point: what has come since the last time, but for an SDK that is called
 * {@value #CUMULATIVE}. Arguments: the names of its SDKs, each with a reader of its own. A
 * request with the method {@code SHUTDOWN} is not sent: its path is the SDK that is shut down.
 */
public final class MeteredClient {
    private static final String CUMULATIVE = "cumulative";

    private final HttpClient client = HttpClient.newHttpClient();
    private final Map<String, SdkMeterProvider> providers;
    private final DoubleHistogram durations;

    private MeteredClient(Map<String, SdkMeterProvider> providers) {
        this.providers = providers;
        durations = providers.values().iterator().next().get("app").histogramBuilder("http.client.request.duration").setUnit("s").build();
    }

    public static void main(String[] names) throws IOException {
        Map<String, SdkMeterProvider> providers = new LinkedHashMap<>();
        for (String name : names) {
            SdkMeterProvider provider = SdkMeterProvider.builder()
                    .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), name)))
                    .registerMetricReader(PeriodicMetricReader.builder(new Printing(name)).setInterval(Duration.ofMillis(300)).build())
                    .build();
            // What has nothing to tell is not exported.
            provider.get("app").gaugeBuilder("app.up").buildWithCallback(gauge -> gauge.record(1));
            providers.put(name, provider);
        }
        ClientDriver.run(new MeteredClient(providers)::send);
    }

    private HttpAnswer send(HttpCall call) throws IOException, InterruptedException {
        URI uri = URI.create(call.url());
        if (call.method().equals("SHUTDOWN")) {
            providers.get(uri.getPath().substring(1)).close();
            return new HttpAnswer(200, Map.of(), "", Map.of());
        }
        HttpResponse<String> response = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        durations.record(0.001);
        return new HttpAnswer(response.statusCode(), Map.of(), response.body(), Map.of());
    }

    private record Printing(String name) implements MetricExporter {
        @Override
        public AggregationTemporality getAggregationTemporality(InstrumentType type) {
            return name.equals(CUMULATIVE) ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA;
        }

        @Override
        public CompletableResultCode export(Collection<MetricData> metrics) {
            for (MetricData metric : metrics) {
                for (PointData point : metric.getData().getPoints()) {
                    System.err.println("metric " + name + ' ' + metric.getInstrumentationScopeInfo().getName() + ' ' + metric.getName()
                            + " of " + metric.getResource().getAttribute(AttributeKey.stringKey("service.name"))
                            + " in '" + metric.getUnit() + "' " + how(metric) + ' ' + value(point) + ' ' + point.getAttributes());
                }
            }
            System.err.println("exported " + name);
            return CompletableResultCode.ofSuccess();
        }

        private static String how(MetricData metric) {
            return switch (metric.getType()) {
                case DOUBLE_SUM -> metric.getDoubleSumData().getAggregationTemporality() + " " + metric.getDoubleSumData().isMonotonic();
                case LONG_SUM -> metric.getLongSumData().getAggregationTemporality() + " " + metric.getLongSumData().isMonotonic();
                case HISTOGRAM -> metric.getHistogramData().getAggregationTemporality().toString();
                default -> metric.getType().toString();
            };
        }

        private static String value(PointData point) {
            if (point instanceof HistogramPointData histogram) {
                return histogram.getCount() + " in " + histogram.getCounts() + " of " + histogram.getBoundaries() + " = " + histogram.getSum();
            }
            return point instanceof LongPointData number ? Long.toString(number.getValue()) : Double.toString(((DoublePointData) point).getValue());
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }
}
