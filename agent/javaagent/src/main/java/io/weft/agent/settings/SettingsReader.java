package io.weft.agent.settings;

import io.weft.agent.log.AgentLog;
import io.weft.agent.settings.Settings.ControlPlane.Kind;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reads the settings. Of several sources the first that has a setting gives it: system property, environment, agent argument,
 * properties file.
 *
 * <p>Runs in premain: no lambda, stream, regular expression or NIO file system, each of which costs the app's start more than
 * all of this.
 */
public final class SettingsReader {

    /** Either all settings are valid, or the agent does not start. */
    public sealed interface Outcome {
        /** For an operator; do not keep the agent from starting. */
        List<String> warnings();
    }

    public record Valid(Settings settings, List<String> warnings) implements Outcome {}

    /**
     * @param problems each names the setting, its source, what is wrong and what would be right
     * @param required whether the process must not run without the mesh
     */
    public record Invalid(List<String> problems, boolean required, List<String> warnings) implements Outcome {}

    private record Value(String text, String source) {}

    /** As in the pods of a mesh of Istio. */
    private static final String ISTIO_ROOTS = "/var/run/secrets/istio/root-cert.pem";
    private static final String ISTIO_TOKEN = "/var/run/secrets/tokens/istio-token";
    private static final String GRPC_BOOTSTRAP = "GRPC_XDS_BOOTSTRAP";

    /** More than anybody waits for; further on nanoseconds in a long would not do. */
    private static final Duration LONGEST = Duration.ofHours(24);

    /** Which the service is told by. */
    private static final String SERVICE_TAG = "kuma.io/service";

    private static final String MODULE_PREFIX = "instrumentation.";
    private static final String MODULE_SUFFIX = ".enabled";

    private final Properties properties;
    private final Map<String, String> environment;
    private final Set<String> modules;

    private final Map<Setting, Value> values = new HashMap<>();
    private final Map<String, Value> moduleValues = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private SettingsReader(Properties properties, Map<String, String> environment, Set<String> modules) {
        this.properties = properties;
        this.environment = environment;
        this.modules = modules;
    }

    /**
     * @param argument of the agent; null or empty for none
     * @param modules names of the instrumentation modules there are
     */
    public static Outcome read(Properties properties, Map<String, String> environment, String argument, Set<String> modules) {
        SettingsReader reader = new SettingsReader(properties, environment, modules);
        reader.readProperties();
        reader.readEnvironment();
        reader.readArgument(argument == null ? "" : argument);
        Value file = reader.values.get(Setting.CONFIG_FILE);
        if (file != null) {
            reader.readFile(file);
        }
        return reader.outcome();
    }

    private void readProperties() {
        for (String name : properties.stringPropertyNames()) {
            if (name.startsWith("weft.")) {
                put(name.substring("weft.".length()), properties.getProperty(name), "system property " + name);
            }
        }
    }

    private void readEnvironment() {
        for (Map.Entry<String, String> entry : environment.entrySet()) {
            String name = entry.getKey();
            if (!name.startsWith("WEFT_") || isServiceLink(name)) {
                continue;
            }
            String key = keyOfVariable(name);
            if (key == null) {
                unknown("environment variable " + name, nearest(name.substring("WEFT_".length())), true);
            } else {
                put(key, entry.getValue(), "environment variable " + name);
            }
        }
    }

    /**
     * Kubernetes and Docker describe every service to every container: one that is called weft or weft-control-plane makes
     * {@code WEFT_PORT} or {@code WEFT_CONTROL_PLANE_SERVICE_HOST}.
     */
    private static boolean isServiceLink(String variable) {
        return variable.endsWith("_SERVICE_HOST") || variable.contains("_SERVICE_PORT") || variable.endsWith("_PORT")
                || variable.contains("_PORT_");
    }

    private String keyOfVariable(String variable) {
        for (Setting setting : Setting.values()) {
            if (setting != Setting.INSTRUMENTATION_ENABLED && setting.variable().equals(variable)) {
                return setting.key();
            }
        }
        for (String module : modules) {
            String key = MODULE_PREFIX + module + MODULE_SUFFIX;
            if (Setting.variable("weft." + key).equals(variable)) {
                return key;
            }
        }
        return null;
    }

    /** {@code a=b,c=d}. A list's own commas need no quoting: what is no setting's name belongs to the list before it. */
    private void readArgument(String argument) {
        String key = null;
        StringBuilder value = new StringBuilder();
        for (String part : split(argument, ',')) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? "" : withoutPrefix(part.substring(0, equals).strip());
            boolean isList = key != null && Set.of(Setting.TAGS, Setting.PORTS, Setting.HEALTH_PATHS).contains(settingOf(key));
            if (isList && !isKey(name)) {
                value.append(',').append(part);
                continue;
            }
            if (key != null) {
                put(key, value.toString(), "agent argument " + key);
            }
            key = null;
            value.setLength(0);
            if (equals < 0) {
                if (!part.isBlank()) {
                    problems.add("agent argument: '" + part + "' is not of the form name=value");
                }
            } else {
                key = name;
                value.append(part, equals + 1, part.length());
            }
        }
        if (key != null) {
            put(key, value.toString(), "agent argument " + key);
        }
    }

    private void readFile(Value file) {
        Properties read = new Properties();
        try (InputStream in = new FileInputStream(file.text)) {
            read.load(in);
        } catch (IOException | IllegalArgumentException unreadable) {
            problems.add(file.source + ": cannot read " + file.text + ": " + unreadable.getMessage());
            return;
        }
        for (String name : read.stringPropertyNames()) {
            put(withoutPrefix(name), read.getProperty(name), "file " + file.text + ", property " + name);
        }
    }

    private static String withoutPrefix(String name) {
        return name.startsWith("weft.") ? name.substring("weft.".length()) : name;
    }

    private void put(String key, String text, String source) {
        Value value = new Value(text.strip(), source);
        Setting setting = settingOf(key);
        if (setting != null) {
            values.putIfAbsent(setting, value);
        } else if (isModuleKey(key)) {
            moduleValues.putIfAbsent(key.substring(MODULE_PREFIX.length(), key.length() - MODULE_SUFFIX.length()), value);
        } else {
            unknown(source, nearest(key), false);
        }
    }

    private boolean isKey(String name) {
        return settingOf(name) != null || isModuleKey(name);
    }

    private static Setting settingOf(String key) {
        for (Setting setting : Setting.values()) {
            if (setting != Setting.INSTRUMENTATION_ENABLED && setting.key().equals(key)) {
                return setting;
            }
        }
        return null;
    }

    private boolean isModuleKey(String key) {
        return key.startsWith(MODULE_PREFIX) && key.endsWith(MODULE_SUFFIX)
                && key.length() > MODULE_PREFIX.length() + MODULE_SUFFIX.length()
                && modules.contains(key.substring(MODULE_PREFIX.length(), key.length() - MODULE_SUFFIX.length()));
    }

    private void unknown(String source, String nearest, boolean variable) {
        String name = variable ? Setting.variable("weft." + nearest) : "weft." + nearest;
        warnings.add(source + " is no setting of the agent; did you mean " + name + "?");
    }

    private String nearest(String name) {
        String wanted = name.toLowerCase(Locale.ROOT).replace('_', '-');
        List<String> keys = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            if (setting != Setting.INSTRUMENTATION_ENABLED) {
                keys.add(setting.key());
            }
        }
        for (String module : modules) {
            keys.add(MODULE_PREFIX + module + MODULE_SUFFIX);
        }
        String best = keys.get(0);
        int least = Integer.MAX_VALUE;
        for (String key : keys) {
            int distance = distance(wanted, key.replace('.', '-'));
            if (distance < least) {
                least = distance;
                best = key;
            }
        }
        return best;
    }

    /** Levenshtein's. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    private Outcome outcome() {
        putAlias(Setting.SERVICE, "OTEL_SERVICE_NAME");
        putAlias(Setting.IDENTITY_WORKLOAD_API, "SPIFFE_ENDPOINT_SOCKET");
        boolean required = required();
        Optional<Settings.ControlPlane> controlPlane = controlPlane();
        Settings settings = new Settings(flag(Setting.ENABLED, true), required, controlPlane, service(Setting.SERVICE, controlPlane),
                service(Setting.MESH, controlPlane).orElse("default"), name(Setting.ZONE), name(Setting.LOCAL_CLUSTER), tags(), address(), ports(),
                healthPaths(), new Settings.Identity(text(Setting.IDENTITY_DIR), workloadApi(), keyType()), text(Setting.CACHE_DIR),
                duration(Setting.STARTUP_WAIT, Duration.ofSeconds(5)),
                new Settings.Drain(duration(Setting.DRAIN_DELAY, untilCallersKnow(controlPlane)),
                        duration(Setting.DRAIN_TIMEOUT, Duration.ofSeconds(10))),
                new Settings.Admin(flag(Setting.ADMIN_ENABLED, true), text(Setting.ADMIN_DIR), adminLoopback(), listen(),
                        flag(Setting.DEBUG_HEADER, false), percent(Setting.DEBUG_SAMPLING).orElse(0) / 100),
                flag(Setting.METRICS_OPENTELEMETRY, true), otlp(),
                new Settings.Log(text(Setting.LOG_FILE), level()), disabledModules());
        String tagged = settings.tags().get(SERVICE_TAG);
        if (tagged != null && !settings.service().equals(Optional.of(tagged))) {
            problems.add(values.get(Setting.TAGS).source + ": " + SERVICE_TAG + "=" + tagged + " is not what " + Setting.SERVICE.property()
                    + " says; set that to it, or leave the tag out");
        }
        controlPlane.filter(each -> each.kind() == Kind.KUMA).ifPresent(each -> toKuma(settings));
        // Who is told to leave the JVM alone uses nothing else of it.
        return problems.isEmpty() || !settings.enabled()
                ? new Valid(settings, List.copyOf(warnings))
                : new Invalid(List.copyOf(problems), required, List.copyOf(warnings));
    }

    /** A variable that others have given a meaning long before. */
    private void putAlias(Setting setting, String variable) {
        String text = environment.get(variable);
        if (text != null) {
            values.putIfAbsent(setting, new Value(text.strip(), "environment variable " + variable));
        }
    }

    private Optional<URI> workloadApi() {
        Value value = values.get(Setting.IDENTITY_WORKLOAD_API);
        if (value == null || value.text.isEmpty()) {
            return Optional.empty();
        }
        try {
            URI uri = new URI(value.text);
            boolean socket = "unix".equals(uri.getScheme()) && uri.getRawAuthority() == null && uri.getPath() != null
                    && uri.getPath().startsWith("/");
            boolean tcp = "tcp".equals(uri.getScheme()) && uri.getHost() != null && isAddress(withoutBrackets(uri.getHost()));
            if (socket || tcp && uri.getPort() > 0) {
                return Optional.of(uri);
            }
        } catch (URISyntaxException none) {
            // Said below.
        }
        invalid(Setting.IDENTITY_WORKLOAD_API, value);
        return Optional.empty();
    }

    /** In a URI an IPv6 address has them. */
    private static String withoutBrackets(String host) {
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    private String keyType() {
        Value value = values.get(Setting.IDENTITY_KEY_TYPE);
        if (value == null || value.text.isEmpty()) {
            return "ec";
        }
        String type = value.text.toLowerCase(Locale.ROOT);
        if (!type.equals("ec") && !type.equals("rsa") && !type.equals("ed25519")) {
            invalid(Setting.IDENTITY_KEY_TYPE, value);
        }
        return type;
    }

    private void invalid(Setting setting, Value value) {
        invalid(value, setting.form());
    }

    private void invalid(Value value, String form) {
        problems.add(value.source + ": '" + withoutUser(value.text) + "' is not " + form);
    }

    /** A URI may have a password there, which is nothing for a log. */
    private static String withoutUser(String text) {
        int authority = text.indexOf("//");
        int at = text.lastIndexOf('@');
        return authority < 0 || at < authority ? text : text.substring(0, authority) + "//***" + text.substring(at);
    }

    /** What cannot be read counts as true: who says anything of it does not want to go on without the mesh. */
    private boolean required() {
        Value value = values.get(Setting.REQUIRED);
        return value != null && !value.text.isEmpty() && flag(value, true);
    }

    private Optional<String> text(Setting setting) {
        Value value = values.get(setting);
        return value == null || value.text.isEmpty() ? Optional.empty() : Optional.of(value.text);
    }

    private boolean flag(Setting setting, boolean byDefault) {
        Value value = values.get(setting);
        return value == null || value.text.isEmpty() ? byDefault : flag(value, byDefault);
    }

    private boolean flag(Value value, boolean otherwise) {
        if (value.text.equalsIgnoreCase("true")) {
            return true;
        }
        if (value.text.equalsIgnoreCase("false")) {
            return false;
        }
        invalid(value, Setting.Type.FLAG.form());
        return otherwise;
    }

    private Optional<String> name(Setting setting) {
        Optional<String> name = text(setting);
        if (name.isPresent() && !isName(name.get())) {
            invalid(setting, values.get(setting));
        }
        return name;
    }

    /** Another one Weft's control plane turns away; what others take is for them to say. */
    private Optional<String> service(Setting setting, Optional<Settings.ControlPlane> controlPlane) {
        boolean others = controlPlane.filter(each -> each.kind() != Kind.WEFT).isPresent();
        Optional<String> name = text(setting);
        if (name.isPresent() && !(others ? isName(name.get()) : isService(name.get()))) {
            invalid(setting, values.get(setting));
        }
        return name;
    }

    private static boolean isService(String text) {
        return isName(text) && text.length() <= 252 && isAlphanumeric(text.charAt(0)) && isAlphanumeric(text.charAt(text.length() - 1));
    }

    private static boolean isAlphanumeric(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }

    private static boolean isName(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(isAlphanumeric(c) || c == '.' || c == '-' || c == '_')) {
                return false;
            }
        }
        return !text.isEmpty() && text.length() <= 253;
    }

    private Map<String, String> tags() {
        Map<String, String> tags = new LinkedHashMap<>();
        Value value = values.get(Setting.TAGS);
        if (value != null && !value.text.isEmpty()) {
            for (String pair : split(value.text, ',')) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? "" : pair.substring(0, equals).strip();
                String tag = equals < 0 ? "" : pair.substring(equals + 1).strip();
                if (!isName(name.replace('/', '.')) || tag.isEmpty()) {
                    invalid(Setting.TAGS, value);
                    return tags;
                }
                tags.put(name, tag);
            }
        }
        return tags;
    }

    private Set<Integer> ports() {
        Set<Integer> ports = new HashSet<>();
        Value value = values.get(Setting.PORTS);
        if (value != null && !value.text.isEmpty()) {
            for (String text : split(value.text, ',')) {
                int port = port(text.strip());
                if (port < 0) {
                    invalid(Setting.PORTS, value);
                    return ports;
                }
                ports.add(port);
            }
        }
        return ports;
    }

    private Set<String> healthPaths() {
        Set<String> paths = new TreeSet<>();
        Value value = values.get(Setting.HEALTH_PATHS);
        if (value != null && !value.text.isEmpty()) {
            for (String text : split(value.text, ',')) {
                String path = text.strip();
                if (!path.startsWith("/") || path.indexOf('?') >= 0 || path.indexOf('#') >= 0 || path.indexOf(' ') >= 0) {
                    invalid(Setting.HEALTH_PATHS, value);
                    return paths;
                }
                paths.add(path);
            }
        }
        return paths;
    }

    private OptionalInt adminLoopback() {
        Value value = values.get(Setting.ADMIN_LOOPBACK);
        if (value == null || value.text.isEmpty()) {
            return OptionalInt.empty();
        }
        int port = port(value.text);
        if (port < 0) {
            invalid(Setting.ADMIN_LOOPBACK, value);
            return OptionalInt.empty();
        }
        return OptionalInt.of(port);
    }

    /** @return negative when it is none */
    private static int port(String text) {
        int port = 0;
        for (int i = 0; i < text.length(); i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9 || i > 4) {
                return -1;
            }
            port = port * 10 + digit;
        }
        return port == 0 || port > 65535 ? -1 : port;
    }

    private Optional<Settings.Otlp> otlp() {
        Duration interval = duration(Setting.OTLP_INTERVAL, Duration.ofSeconds(60));
        OptionalDouble sampling = percent(Setting.TRACES_SAMPLING);
        Value value = values.get(Setting.OTLP_ENDPOINT);
        if (value == null || value.text.isEmpty()) {
            if (sampling.isPresent()) {
                warnings.add(values.get(Setting.TRACES_SAMPLING).source + " has no effect without weft.otlp.endpoint");
            }
            return Optional.empty();
        }
        if (interval.isZero()) {
            invalid(values.get(Setting.OTLP_INTERVAL), "above zero, such as 60s");
        }
        try {
            URI uri = new URI(value.text);
            boolean known = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            boolean more = uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null;
            if (known && uri.getHost() != null && !more) {
                return Optional.of(new Settings.Otlp(uri, interval, sampling));
            }
        } catch (URISyntaxException none) {
            // Said below.
        }
        invalid(Setting.OTLP_ENDPOINT, value);
        return Optional.empty();
    }

    private OptionalDouble percent(Setting setting) {
        Value value = values.get(setting);
        if (value == null || value.text.isEmpty()) {
            return OptionalDouble.empty();
        }
        try {
            if (value.text.endsWith("%")) {
                double percent = Double.parseDouble(value.text.substring(0, value.text.length() - 1));
                if (percent >= 0 && percent <= 100) {
                    return OptionalDouble.of(percent);
                }
            }
        } catch (NumberFormatException none) {
            // Said below.
        }
        invalid(setting, value);
        return OptionalDouble.empty();
    }

    private Optional<Settings.Listen> listen() {
        Value value = values.get(Setting.METRICS_ADDRESS);
        if (value == null || value.text.isEmpty()) {
            return Optional.empty();
        }
        int colon = value.text.lastIndexOf(':');
        String address = colon < 0 ? "127.0.0.1" : withoutBrackets(value.text.substring(0, colon));
        String port = value.text.substring(colon + 1);
        int number = port.equals("0") ? 0 : port(port);
        if (number < 0 || !isAddress(address)) {
            invalid(Setting.METRICS_ADDRESS, value);
        }
        return Optional.of(new Settings.Listen(address, number));
    }

    private Optional<Settings.ControlPlane> controlPlane() {
        Optional<String> ca = file(Setting.CONTROL_PLANE_CA_FILE);
        Optional<String> token = file(Setting.CONTROL_PLANE_TOKEN_FILE);
        Optional<String> certificate = file(Setting.CONTROL_PLANE_CLIENT_CERTIFICATE);
        Optional<String> key = file(Setting.CONTROL_PLANE_CLIENT_KEY);
        if (certificate.isPresent() != key.isPresent()) {
            Setting given = certificate.isPresent()
                    ? Setting.CONTROL_PLANE_CLIENT_CERTIFICATE : Setting.CONTROL_PLANE_CLIENT_KEY;
            Setting absent = certificate.isPresent()
                    ? Setting.CONTROL_PLANE_CLIENT_KEY : Setting.CONTROL_PLANE_CLIENT_CERTIFICATE;
            problems.add(values.get(given).source + " needs " + absent.property() + " beside it");
        }
        Kind kind = kind();
        Value value = values.get(Setting.CONTROL_PLANE);
        boolean usual = kind == Kind.ISTIO && value == null;
        if (!usual && (value == null || value.text.isEmpty())) {
            return Optional.empty();
        }
        URI uri = usual ? istiod() : uri(value.text);
        if (uri == null) {
            invalid(Setting.CONTROL_PLANE, value);
            return Optional.empty();
        }
        Setting tlsOnly = ca.isPresent() ? Setting.CONTROL_PLANE_CA_FILE
                : certificate.isPresent() ? Setting.CONTROL_PLANE_CLIENT_CERTIFICATE : null;
        if (uri.getScheme().equals("grpc") && tlsOnly != null) {
            problems.add(values.get(tlsOnly).source + " needs TLS, but " + value.source + " is '" + value.text
                    + "': write grpcs:// there");
        }
        if (kind == Kind.ISTIO) {
            ca = ca.isEmpty() && uri.getScheme().equals("grpcs") ? present(ISTIO_ROOTS) : ca;
            token = token.isEmpty() ? present(ISTIO_TOKEN) : token;
        }
        return Optional.of(new Settings.ControlPlane(uri, kind, ca, token, certificate, key));
    }

    /** As a pod has it that Istio made ready for gRPC without a proxy, or else for a sidecar. */
    private URI istiod() {
        String bootstrap = environment.getOrDefault(GRPC_BOOTSTRAP, "");
        return !bootstrap.isEmpty() && present(bootstrap).isPresent() ? new File(bootstrap).toURI() : Settings.ControlPlane.ISTIOD;
    }

    private void toKuma(Settings settings) {
        settings.tags().forEach((name, value) -> {
            String tag = values.get(Setting.TAGS).source + ": '" + name + "=" + value + "' ";
            if (!KumaForm.isTag(name, value)) {
                problems.add(tag + "is no tag of Kuma's, which is of letters, digits, '.', '-', '_' and ':'");
            } else if (!name.startsWith("kuma.io/") && !KumaForm.isLabel(name, value)) {
                warnings.add(tag + "is a tag, but no label, which is of at most 63 letters, digits, '.', '-' and '_', the first and the last a letter"
                        + " or digit: policies that choose by labels do not see it");
            }
        });
        if (settings.service().isEmpty()) {
            warnings.add(Setting.SERVICE.property() + " is not set: to kuma-cp this process is the service 'client', as is every other without a"
                    + " name, and what is permitted to one of them is permitted to all");
        }
    }

    /** kuma-cp looks for what has changed once a second, after what it remembers is a second old. */
    private static Duration untilCallersKnow(Optional<Settings.ControlPlane> controlPlane) {
        return Duration.ofSeconds(controlPlane.filter(each -> each.kind() == Kind.KUMA).isPresent() ? 3 : 1);
    }

    private Kind kind() {
        Value value = values.get(Setting.CONTROL_PLANE_KIND);
        if (value == null || value.text.isEmpty()) {
            return Kind.WEFT;
        }
        for (Kind kind : Kind.values()) {
            if (kind.name().equalsIgnoreCase(value.text)) {
                return kind;
            }
        }
        invalid(Setting.CONTROL_PLANE_KIND, value);
        return Kind.WEFT;
    }

    private static Optional<String> present(String name) {
        File file = new File(name);
        return file.isFile() && file.canRead() ? Optional.of(name) : Optional.empty();
    }

    /** @return null when it is none */
    private static URI uri(String text) {
        try {
            URI uri = new URI(text);
            boolean scheme = "grpc".equals(uri.getScheme()) || "grpcs".equals(uri.getScheme());
            boolean more = uri.getRawUserInfo() != null || uri.getRawQuery() != null || uri.getRawFragment() != null
                    || !(uri.getRawPath() == null || uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"));
            return scheme && uri.getHost() != null && uri.getPort() > 0 && uri.getPort() <= 65535 && !more ? uri : null;
        } catch (URISyntaxException none) {
            return null;
        }
    }

    private Optional<String> file(Setting setting) {
        Optional<String> name = text(setting);
        if (name.isPresent()) {
            File file = new File(name.get());
            if (!file.isFile() || !file.canRead()) {
                invalid(setting, values.get(setting));
            }
        }
        return name;
    }

    /** An address and not a name: premain must not ask DNS. */
    private Optional<String> address() {
        Optional<String> address = text(Setting.ADDRESS);
        if (address.isPresent() && !isAddress(address.get())) {
            invalid(Setting.ADDRESS, values.get(Setting.ADDRESS));
        }
        return address;
    }

    private static boolean isAddress(String text) {
        if (text.indexOf(':') >= 0) {
            boolean hex = true;
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                hex &= c == ':' || c == '.' || Character.digit(c, 16) >= 0;
            }
            return hex && text.indexOf(':') != text.lastIndexOf(':');
        }
        List<String> numbers = split(text, '.');
        if (numbers.size() != 4) {
            return false;
        }
        for (String number : numbers) {
            boolean digits = !number.isEmpty() && number.length() <= 3;
            for (int i = 0; i < number.length(); i++) {
                digits &= number.charAt(i) >= '0' && number.charAt(i) <= '9';
            }
            if (!digits || Integer.parseInt(number) > 255) {
                return false;
            }
        }
        return true;
    }

    private Duration duration(Setting setting, Duration byDefault) {
        Value value = values.get(setting);
        if (value == null || value.text.isEmpty()) {
            return byDefault;
        }
        int digits = 0;
        while (digits < value.text.length() && value.text.charAt(digits) >= '0' && value.text.charAt(digits) <= '9') {
            digits++;
        }
        if (digits > 0 && digits <= 9) {
            Duration duration = duration(Long.parseLong(value.text.substring(0, digits)), value.text.substring(digits).strip());
            if (duration != null && duration.compareTo(LONGEST) <= 0) {
                return duration;
            }
        }
        invalid(setting, value);
        return byDefault;
    }

    /** @return null when there is no such unit */
    private static Duration duration(long number, String unit) {
        return switch (unit) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            default -> null;
        };
    }

    private AgentLog.Level level() {
        Value value = values.get(Setting.LOG_LEVEL);
        if (value == null || value.text.isEmpty()) {
            return AgentLog.Level.INFO;
        }
        for (AgentLog.Level level : AgentLog.Level.values()) {
            if (level.name().equalsIgnoreCase(value.text)) {
                return level;
            }
        }
        invalid(Setting.LOG_LEVEL, value);
        return AgentLog.Level.INFO;
    }

    private Set<String> disabledModules() {
        Set<String> disabled = new HashSet<>();
        for (Map.Entry<String, Value> entry : moduleValues.entrySet()) {
            if (!flag(entry.getValue(), true)) {
                disabled.add(entry.getKey());
            }
        }
        return disabled;
    }

    private static List<String> split(String text, char separator) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (int end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, start)) {
            parts.add(text.substring(start, end));
            start = end + 1;
        }
        parts.add(text.substring(start));
        return parts;
    }
}
