package io.weft.agent.mesh;

import io.weft.policy.PolicyClientConfig.ClientCertificate;
import io.weft.policy.identity.IdentityConfig;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * gRPC's bootstrap file, which {@code GRPC_XDS_BOOTSTRAP} names: the certificate providers (gRFC A29), and what it says of the control
 * plane and of this process for whoever has no other word of it.
 */
final class GrpcBootstrap {
    /** The variable by which gRPC finds the file. */
    static final String VARIABLE = "GRPC_XDS_BOOTSTRAP";

    private static final String FILE_WATCHER = "file_watcher";
    private static final String CERTIFICATE = "certificate_file";
    private static final String KEY = "private_key_file";
    private static final String AUTHORITIES = "ca_certificate_file";

    private final Path file;
    private final Map<String, Object> content;

    private GrpcBootstrap(Path file, Map<String, Object> content) {
        this.file = file;
        this.content = content;
    }

    /**
     * A control plane.
     *
     * @param authorities and a certificate, where its credentials are of TLS and name them (gRFC A65)
     */
    record Server(URI uri, Optional<Path> authorities, Optional<ClientCertificate> certificate) {}

    /** @throws IOException it cannot be read; the message names it */
    static GrpcBootstrap read(Path file) throws IOException {
        try {
            return new GrpcBootstrap(file, JsonTree.object(Files.readString(file)));
        } catch (IOException e) {
            throw new IOException(VARIABLE + ": " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The first of its servers, by the first of its credentials that is known here.
     *
     * @throws IOException there is none that can be asked; the message says why
     */
    Server server() throws IOException {
        if (!(content.get("xds_servers") instanceof List<?> servers) || servers.isEmpty()) {
            throw wrong("xds_servers: names none");
        }
        Map<?, ?> server = object(servers.get(0));
        String target = text(server, "server_uri").orElseThrow(() -> wrong("xds_servers[0].server_uri: is missing"));
        List<?> credentials = server.get("channel_creds") instanceof List<?> list ? list : List.of();
        for (Object each : credentials) {
            Map<?, ?> config = object(object(each).get("config"));
            switch (text(object(each), "type").orElse("")) {
                case "insecure" -> {
                    return new Server(uri(target, "grpc"), Optional.empty(), Optional.empty());
                }
                case "tls" -> {
                    Optional<IdentityConfig.CertificateFiles> own = certificate("xds_servers[0].channel_creds.config", config);
                    return new Server(uri(target, "grpcs"), path(config, AUTHORITIES),
                            own.map(files -> new ClientCertificate(files.chain(), files.key())));
                }
                default -> { }
            }
        }
        throw wrong("xds_servers[0].channel_creds: has neither insecure nor tls");
    }

    /** As gRPC has it: {@code unix:/path}, {@code dns:///host:port} or {@code host:port}. */
    private URI uri(String target, String scheme) throws IOException {
        try {
            if (target.startsWith("unix:")) {
                return new URI("unix", null, Path.of(target.substring("unix:".length())).toAbsolutePath().normalize().toString(), null);
            }
            URI uri = new URI(scheme + "://" + (target.startsWith("dns:///") ? target.substring("dns:///".length()) : target));
            if (uri.getHost() != null && uri.getPort() > 0) {
                return uri;
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new IOException(wrong("xds_servers[0].server_uri: " + e.getMessage()).getMessage(), e);
        }
        throw wrong("xds_servers[0].server_uri: must be unix:/path, dns:///host:port or host:port, not " + target);
    }

    /** Of the node that this process is to the control plane; empty: it says nothing of it. */
    Map<String, Object> metadata() {
        Map<String, Object> metadata = new LinkedHashMap<>();
        object(object(content.get("node")).get("metadata")).forEach((name, value) -> metadata.put((String) name, value));
        return metadata;
    }

    /**
     * The files of its certificate provider, or of each where there are several; empty: it has none.
     *
     * @throws IOException it has something that is not supported; the message names it
     */
    Optional<IdentityConfig.Source> identity() throws IOException {
        Object providers = content.getOrDefault("certificate_providers", Map.of());
        if (!(providers instanceof Map<?, ?> byName) || !byName.values().stream().allMatch(Map.class::isInstance)) {
            throw wrong("certificate_providers: must hold objects");
        }
        Map<String, IdentityConfig.Files> files = new LinkedHashMap<>();
        for (Map.Entry<?, ?> provider : byName.entrySet()) {
            files.put((String) provider.getKey(), files("certificate_providers." + provider.getKey(), object(provider.getValue())));
        }
        if (files.isEmpty()) {
            return Optional.empty();
        }
        // One is meant whatever a policy calls it: Istio says "default" for the certificate and "ROOTCA" for the roots.
        return Optional.of(files.size() == 1 ? files.values().iterator().next() : new IdentityConfig.Providers(files));
    }

    private IdentityConfig.Files files(String at, Map<?, ?> provider) throws IOException {
        String plugin = text(provider, "plugin_name").orElse(null);
        if (!FILE_WATCHER.equals(plugin)) {
            throw wrong(at + ".plugin_name: must be " + FILE_WATCHER + ", not " + plugin);
        }
        Map<?, ?> config = object(provider.get("config"));
        Optional<IdentityConfig.CertificateFiles> certificate = certificate(at + ".config", config);
        Optional<Path> authorities = path(config, AUTHORITIES);
        if (certificate.isEmpty() && authorities.isEmpty()) {
            throw wrong(at + ".config: has neither " + CERTIFICATE + " nor " + AUTHORITIES);
        }
        return new IdentityConfig.Files(certificate, authorities);
    }

    private Optional<IdentityConfig.CertificateFiles> certificate(String at, Map<?, ?> config) throws IOException {
        Optional<Path> chain = path(config, CERTIFICATE);
        Optional<Path> key = path(config, KEY);
        if (chain.isPresent() != key.isPresent()) {
            throw wrong(at + "." + (chain.isPresent() ? KEY : CERTIFICATE) + ": is missing, though "
                    + (chain.isPresent() ? CERTIFICATE : KEY) + " is there");
        }
        return chain.map(path -> new IdentityConfig.CertificateFiles(path, key.orElseThrow()));
    }

    private IOException wrong(String problem) {
        return new IOException(VARIABLE + ": " + file + ": " + problem);
    }

    /** What is no object here has nothing that is needed. */
    private static Map<?, ?> object(Object value) {
        return value instanceof Map<?, ?> object ? object : Map.of();
    }

    private static Optional<String> text(Map<?, ?> object, String name) {
        return object.get(name) instanceof String text && !text.isEmpty() ? Optional.of(text) : Optional.empty();
    }

    private static Optional<Path> path(Map<?, ?> config, String name) {
        return text(config, name).map(Path::of);
    }
}
