package io.weft.agent.mesh;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.weft.policy.identity.IdentityConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Of gRPC's bootstrap file, which {@code GRPC_XDS_BOOTSTRAP} names, the certificate providers (gRFC A29): the rest says for gRPC
 * what the agent's own settings say here.
 */
final class GrpcBootstrap {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String FILE_WATCHER = "file_watcher";
    private static final String CERTIFICATE = "certificate_file";
    private static final String KEY = "private_key_file";
    private static final String AUTHORITIES = "ca_certificate_file";

    private GrpcBootstrap() {}

    /**
     * The files of its certificate provider, or of each where there are several; empty: it has none.
     *
     * @throws IOException it cannot be read, or has something that is not supported; the message names it
     */
    static Optional<IdentityConfig.Source> identity(Path file) throws IOException {
        Map<String, Map<String, String>> providers = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(file.toFile())) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("is no JSON object");
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                boolean wanted = json.currentName().equals("certificate_providers");
                json.nextToken();
                if (wanted) {
                    providers(json, providers);
                } else {
                    json.skipChildren();
                }
            }
            Map<String, IdentityConfig.Files> files = new LinkedHashMap<>();
            for (Map.Entry<String, Map<String, String>> provider : providers.entrySet()) {
                files.put(provider.getKey(), files("certificate_providers." + provider.getKey(), provider.getValue()));
            }
            if (files.isEmpty()) {
                return Optional.empty();
            }
            // One is meant whatever a policy calls it: Istio says "default" for the certificate and "ROOTCA" for the roots.
            return Optional.of(files.size() == 1 ? files.values().iterator().next() : new IdentityConfig.Providers(files));
        } catch (IOException e) {
            throw new IOException("GRPC_XDS_BOOTSTRAP: " + file + ": " + e.getMessage(), e);
        }
    }

    private static void providers(JsonParser json, Map<String, Map<String, String>> providers) throws IOException {
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            json.nextToken();
            Map<String, String> fields = new LinkedHashMap<>();
            texts(json, "", fields);
            providers.put(name, fields);
        }
    }

    /** Texts by their paths; what is no text here is none that is needed. */
    private static void texts(JsonParser json, String path, Map<String, String> texts) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw new IOException("certificate_providers: must hold objects");
        }
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = path + json.currentName();
            JsonToken value = json.nextToken();
            if (value == JsonToken.START_OBJECT) {
                texts(json, field + ".", texts);
            } else if (value == JsonToken.VALUE_STRING) {
                texts.put(field, json.getText());
            } else {
                json.skipChildren();
            }
        }
    }

    private static IdentityConfig.Files files(String at, Map<String, String> fields) throws IOException {
        if (!FILE_WATCHER.equals(fields.get("plugin_name"))) {
            throw new IOException(at + ".plugin_name: must be " + FILE_WATCHER + ", not " + fields.get("plugin_name"));
        }
        Optional<Path> chain = path(fields, CERTIFICATE);
        Optional<Path> key = path(fields, KEY);
        Optional<Path> authorities = path(fields, AUTHORITIES);
        if (chain.isPresent() != key.isPresent()) {
            throw new IOException(at + ".config." + (chain.isPresent() ? KEY : CERTIFICATE) + ": is missing, though "
                    + (chain.isPresent() ? CERTIFICATE : KEY) + " is there");
        }
        if (chain.isEmpty() && authorities.isEmpty()) {
            throw new IOException(at + ".config: has neither " + CERTIFICATE + " nor " + AUTHORITIES);
        }
        return new IdentityConfig.Files(chain.map(path -> new IdentityConfig.CertificateFiles(path, key.orElseThrow())), authorities);
    }

    private static Optional<Path> path(Map<String, String> fields, String name) {
        String text = fields.get("config." + name);
        return text == null || text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
    }
}
