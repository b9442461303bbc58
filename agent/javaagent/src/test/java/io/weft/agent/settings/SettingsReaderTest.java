package io.weft.agent.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsReaderTest {
    private final Properties properties = new Properties();
    private final Map<String, String> environment = new HashMap<>();

    @TempDir
    Path folder;

    @Test
    void withoutAnySetting() {
        Settings settings = settings(null);

        assertThat(settings.enabled()).isTrue();
        assertThat(settings.required()).isFalse();
        assertThat(settings.controlPlane()).isEmpty();
        assertThat(settings.service()).isEmpty();
        assertThat(settings.mesh()).isEqualTo("default");
        assertThat(settings.tags()).isEmpty();
        assertThat(settings.ports()).isEmpty();
        assertThat(settings.startupWait()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.drain()).isEqualTo(new Settings.Drain(Duration.ofSeconds(1), Duration.ofSeconds(10)));
        assertThat(settings.log().level()).isEqualTo(AgentLog.Level.INFO);
    }

    @Test
    void propertyGoesBeforeEnvironmentBeforeArgumentBeforeFile() throws IOException {
        Path file = Files.writeString(folder.resolve("weft.properties"), "weft.mesh=file\nzone=file\n");
        assertThat(settings("config-file=" + file).mesh()).isEqualTo("file");
        assertThat(settings("config-file=" + file).zone()).contains("file");
        assertThat(settings("mesh=argument,config-file=" + file).mesh()).isEqualTo("argument");

        environment.put("WEFT_MESH", "environment");
        assertThat(settings("mesh=argument,config-file=" + file).mesh()).isEqualTo("environment");

        properties.setProperty("weft.mesh", "property");
        assertThat(settings("mesh=argument,config-file=" + file).mesh()).isEqualTo("property");
    }

    @Test
    void everySettingHasAllItsNames() {
        for (Setting setting : Setting.values()) {
            if (setting == Setting.INSTRUMENTATION_ENABLED || setting == Setting.CONFIG_FILE) {
                continue;
            }
            // what no setting is would be warned of, what is empty is as if it were not there
            properties.setProperty(setting.property(), "");
            environment.put(setting.variable(), "");
        }
        properties.setProperty("weft.instrumentation.tomcat.enabled", "false");
        environment.put("WEFT_INSTRUMENTATION_JAVA_NET_HTTP_ENABLED", "false");

        SettingsReader.Outcome outcome = read(null);

        assertThat(outcome.warnings()).isEmpty();
        assertThat(((SettingsReader.Valid) outcome).settings().disabledModules()).containsExactlyInAnyOrder("tomcat", "java-net-http");
    }

    @Test
    void openTelemetrysNameOfTheServiceComesLast() {
        environment.put("OTEL_SERVICE_NAME", "otel");
        assertThat(settings(null).service()).contains("otel");
        assertThat(settings("service=weft").service()).contains("weft");
    }

    @Test
    void theWorkloadApiIsAUnixSocketOrAnAddress() {
        environment.put("SPIFFE_ENDPOINT_SOCKET", "unix:///run/spire/agent.sock");
        assertThat(settings(null).identity().workloadApi()).contains(URI.create("unix:///run/spire/agent.sock"));
        for (String address : List.of("tcp://127.0.0.1:8000", "tcp://[::1]:8000")) {
            assertThat(settings("identity.workload-api=" + address).identity().workloadApi()).contains(URI.create(address));
        }
        for (String wrong : List.of("/run/spire/agent.sock", "unix://run/agent.sock", "tcp://spire:8000", "tcp://127.0.0.1", "unix:")) {
            assertThat(((SettingsReader.Invalid) read("identity.workload-api=" + wrong)).problems())
                    .containsExactly("agent argument identity.workload-api: '" + wrong + "' is not unix:///PATH or tcp://ADDRESS:PORT");
        }
    }

    @Test
    void listsInTheArgumentKeepTheirCommas() {
        Settings settings = settings("tags=version=v1,team=a,ports=80,8080,health-paths=/live,/ready,control-plane=grpc://cp:5678");

        assertThat(settings.tags()).containsExactly(Map.entry("version", "v1"), Map.entry("team", "a"));
        assertThat(settings.ports()).containsExactlyInAnyOrder(80, 8080);
        assertThat(settings.healthPaths()).containsExactly("/live", "/ready");
        assertThat(settings.controlPlane().orElseThrow().uri()).isEqualTo(URI.create("grpc://cp:5678"));
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "2s,2000", "1m,60000", "1h,3600000", "0s,0", "24h,86400000"})
    void durations(String text, long milliseconds) {
        assertThat(settings("startup-wait=" + text).startupWait()).isEqualTo(Duration.ofMillis(milliseconds));
    }

    @ParameterizedTest
    @ValueSource(strings = {"control-plane=cp:5678", "control-plane=http://cp:5678", "control-plane=grpc://cp", "control-plane=grpc://cp:5678/x",
        "startup-wait=2", "startup-wait=-2s", "drain.delay=s", "drain.timeout=25h", "startup-wait=999999999h", "enabled=yes", "service=a b", "service=Cat_alog!", "service=-orders", "service=orders.", "mesh=a/b", "tags=version", "tags=version=",
        "address=host", "address=256.0.0.1", "address=1.2.3", "ports=0", "ports=65536", "ports=80;81", "admin.loopback=0", "admin.loopback=http", "log.level=loud",
        "health-paths=health", "health-paths=/health?deep", "health-paths=/live,", "health-paths=/li ve",
        "instrumentation.tomcat.enabled=1", "control-plane.token-file=/does/not/exist", "control-plane.kind=consul", "otlp.endpoint=collector:4318",
        "traces.sampling=1", "traces.sampling=101%", "traces.sampling=-1%", "traces.sampling=NaN%", "traces.sampling=%",
        "otlp.endpoint=grpc://collector:4317", "otlp.endpoint=http://collector?a=b", "otlp.endpoint=http://collector#a"})
    void invalidValueIsNamedWithItsSource(String argument) {
        String name = argument.substring(0, argument.indexOf('='));
        String value = argument.substring(argument.indexOf('=') + 1);

        properties.setProperty("weft." + name, value);
        assertThat(problem(null)).startsWith("system property weft." + name + ": '" + value + "' is not ");
        properties.clear();

        String variable = Setting.variable("weft." + name);
        environment.put(variable, value);
        assertThat(problem(null)).startsWith("environment variable " + variable + ": '" + value + "' is not ");
    }

    @ParameterizedTest
    @CsvSource({"otlp.endpoint,http://me:secret@collector:4318,http://***@collector:4318", "otlp.endpoint,https://me:se@cret@collector,https://***@collector",
        "control-plane,grpcs://me:secret@cp:5678,grpcs://***@cp:5678"})
    void aPasswordIsRefusedAndNotSaid(String name, String value, String said) {
        properties.setProperty("weft." + name, value);
        assertThat(problem(null)).startsWith("system property weft." + name + ": '" + said + "' is not ");
    }

    @Test
    void whereMetricsAreSentTo() {
        assertThat(settings("otlp.endpoint=https://collector/otlp,otlp.interval=5s").otlp())
                .contains(new Settings.Otlp(URI.create("https://collector/otlp"), Duration.ofSeconds(5), OptionalDouble.empty()));
        assertThat(problem("otlp.endpoint=http://collector,otlp.interval=0s")).contains("otlp.interval: '0s' is not above zero");
    }

    @Test
    void invalidValueBehindAValidOneDoesNotCount() {
        properties.setProperty("weft.drain.delay", "3s");
        environment.put("WEFT_DRAIN_DELAY", "later");

        assertThat(settings(null).drain().delay()).isEqualTo(Duration.ofSeconds(3));
    }

    /** It would take nothing of a data plane with one such tag. */
    @Test
    void whatKumaDoesNotTakeIsSaid() {
        String kuma = "control-plane=grpcs://cp:5678,control-plane.kind=kuma,";

        assertThat(read(kuma + "service=orders,tags=version=1/2")).isInstanceOfSatisfying(SettingsReader.Invalid.class,
                invalid -> assertThat(invalid.problems()).singleElement().asString().contains("'version=1/2' is no tag of Kuma's"));
        assertThat(read("control-plane=grpcs://cp:5678,service=orders,tags=version=1/2").warnings()).isEmpty();
        assertThat(read(kuma + "service=orders,tags=at=12:30").warnings()).singleElement().asString().contains("'at=12:30' is a tag, but no label");
        assertThat(read(kuma + "service=orders,tags=kuma.io/workload=w,version=v1").warnings()).isEmpty();
        assertThat(read(kuma + "mesh=default").warnings()).singleElement().asString().contains("weft.service is not set");
        assertThat(settings(kuma + "service=orders").drain().delay()).isEqualTo(Duration.ofSeconds(3));
    }

    /** Weft's own would turn it away; a JVM that was in such a mesh stays in it. */
    @Test
    void howAServiceMayBeNamedIsForAnotherControlPlaneToSay() {
        for (String kind : new String[] {"kuma", "istio"}) {
            assertThat(settings("control-plane=grpcs://cp:5678,control-plane.kind=" + kind + ",service=orders-").service()).contains("orders-");
        }
        assertThat(read("control-plane=grpcs://cp:5678,service=orders-")).isInstanceOf(SettingsReader.Invalid.class);
    }

    @Test
    void whoeverSaysSomethingElseOfRequiredIsNotLeftWithoutTheMesh() {
        environment.put("WEFT_REQUIRED", "yes");

        assertThat(read(null)).isInstanceOfSatisfying(SettingsReader.Invalid.class, invalid -> {
            assertThat(invalid.required()).isTrue();
            assertThat(invalid.problems()).containsExactly("environment variable WEFT_REQUIRED: 'yes' is not true or false");
        });
    }

    @Test
    void whoIsLeftAloneIsNotHeldUpByOtherSettings() {
        environment.put("WEFT_ENABLED", "false");
        environment.put("WEFT_REQUIRED", "true");
        environment.put("WEFT_CONTROL_PLANE", "nowhere");
        environment.put("WEFT_CONTROL_PLANE_TOKEN_FILE", "/does/not/exist");

        assertThat(settings(null).enabled()).isFalse();
    }

    @Test
    void theTagOfTheServiceIsNoOtherService() {
        assertThat(settings("service=orders,tags=kuma.io/service=orders,version=v1").tags()).containsEntry("version", "v1");
        assertThat(problem("service=orders,tags=kuma.io/service=batch")).isEqualTo("agent argument tags: kuma.io/service=batch is not what"
                + " weft.service says; set that to it, or leave the tag out");
        assertThat(problem("tags=kuma.io/service=batch")).contains("weft.service");
    }

    @Test
    void everyProblemIsSaidAtOnce() {
        SettingsReader.Outcome outcome = read("drain.delay=x,drain.timeout=y,required=true");

        assertThat(outcome).isInstanceOfSatisfying(SettingsReader.Invalid.class, invalid -> {
            assertThat(invalid.problems()).hasSize(2);
            assertThat(invalid.required()).isTrue();
        });
    }

    @Test
    void certificateNeedsItsKeyAndBothNeedTls() throws IOException {
        Path pem = Files.createFile(folder.resolve("a.pem"));

        assertThat(problem("control-plane.client-certificate=" + pem + ",control-plane=grpcs://cp:5678"))
                .isEqualTo("agent argument control-plane.client-certificate needs weft.control-plane.client-key beside it");
        assertThat(problem("control-plane.ca-file=" + pem + ",control-plane=grpc://cp:5678"))
                .isEqualTo("agent argument control-plane.ca-file needs TLS, but agent argument control-plane is "
                        + "'grpc://cp:5678': write grpcs:// there");
    }

    @Test
    void controlPlaneOfIstioIsWhereItAlwaysIs() {
        Settings.ControlPlane istiod = settings("control-plane.kind=istio").controlPlane().orElseThrow();
        assertThat(istiod.uri()).isEqualTo(URI.create("grpcs://istiod.istio-system.svc:15012"));
        assertThat(istiod.kind()).isEqualTo(Settings.ControlPlane.Kind.ISTIO);

        assertThat(settings("control-plane.kind=istio,control-plane=grpc://127.0.0.1:15010").controlPlane().orElseThrow().uri())
                .isEqualTo(URI.create("grpc://127.0.0.1:15010"));
        assertThat(settings("control-plane.kind=Kuma").controlPlane()).isEmpty();
    }

    @Test
    void controlPlaneOfIstioMayBeInTheBootstrapForGrpc() throws IOException {
        Path bootstrap = folder.resolve("grpc-bootstrap.json");
        environment.put("GRPC_XDS_BOOTSTRAP", bootstrap.toString());
        assertThat(settings("control-plane.kind=istio").controlPlane().orElseThrow().uri()).isEqualTo(Settings.ControlPlane.ISTIOD);

        Files.createFile(bootstrap);
        assertThat(settings("control-plane.kind=istio").controlPlane().orElseThrow().uri()).isEqualTo(URI.create("file:" + bootstrap));
        assertThat(settings("control-plane.kind=istio,control-plane=grpc://127.0.0.1:15010").controlPlane().orElseThrow().uri())
                .isEqualTo(URI.create("grpc://127.0.0.1:15010"));
        assertThat(settings("").controlPlane()).as("gRPC's own affair").isEmpty();
    }

    @Test
    void fileThatIsNotThere() {
        environment.put("WEFT_CONFIG_FILE", folder.resolve("absent").toString());

        assertThat(problem(null)).startsWith("environment variable WEFT_CONFIG_FILE: cannot read ");
    }

    @ParameterizedTest
    @CsvSource({"weft.contrl-plane,weft.control-plane", "weft.drain-delay,weft.drain.delay", "weft.tag,weft.tags",
        "weft.instrumentation.tomkat.enabled,weft.instrumentation.tomcat.enabled"})
    void unknownPropertyIsWarnedOf(String unknown, String meant) {
        properties.setProperty(unknown, "x");

        assertThat(read(null).warnings()).containsExactly(
                "system property " + unknown + " is no setting of the agent; did you mean " + meant + "?");
    }

    @Test
    void unknownVariableIsWarnedOf() {
        environment.put("WEFT_SERVICE_NAME", "x");

        assertThat(read(null).warnings()).containsExactly(
                "environment variable WEFT_SERVICE_NAME is no setting of the agent; did you mean WEFT_SERVICE?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"WEFT_CONTROL_PLANE_SERVICE_HOST", "WEFT_CONTROL_PLANE_SERVICE_PORT", "WEFT_CONTROL_PLANE_SERVICE_PORT_GRPC",
        "WEFT_CONTROL_PLANE_PORT", "WEFT_CONTROL_PLANE_PORT_5678_TCP_ADDR", "WEFT_PORT"})
    void whatKubernetesSaysOfAServiceIsNoSetting(String variable) {
        environment.put(variable, "tcp://10.0.0.1:5678");

        assertThat(read(null).warnings()).isEmpty();
    }

    private Settings settings(String argument) {
        SettingsReader.Outcome outcome = read(argument);
        assertThat(outcome).isInstanceOf(SettingsReader.Valid.class);
        return ((SettingsReader.Valid) outcome).settings();
    }

    private String problem(String argument) {
        SettingsReader.Outcome outcome = read(argument);
        assertThat(outcome).isInstanceOf(SettingsReader.Invalid.class);
        assertThat(((SettingsReader.Invalid) outcome).problems()).hasSize(1);
        return ((SettingsReader.Invalid) outcome).problems().get(0);
    }

    private SettingsReader.Outcome read(String argument) {
        return SettingsReader.read(properties, environment, argument, Set.of("tomcat", "java-net-http"));
    }
}
