package io.weft.agent.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/** Certificates and roots, in the form of Envoy's {@code /certs}. */
final class CertificatesJson {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int DNS = 2;
    private static final int URI = 6;

    private final JsonGenerator json;
    private final Instant now;

    private CertificatesJson(JsonGenerator json, Instant now) {
        this.json = json;
        this.now = now;
    }

    static String of(PolicySnapshot policy, Instant now) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            new CertificatesJson(json, now).write(policy);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return text.append('\n').toString();
    }

    private void write(PolicySnapshot policy) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("certificates");
        for (Secret secret : new TreeMap<>(policy.secrets()).values()) {
            json.writeStartObject();
            if (secret.content() instanceof Secret.Identity identity) {
                certificates("cert_chain", secret.name(), identity.certificate().chain());
            } else if (secret.content() instanceof Secret.Validation validation) {
                certificates("ca_cert", secret.name(), roots(validation.validation().trust()));
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static Collection<X509Certificate> roots(Trust trust) {
        if (trust instanceof CertificateValidation.Authorities authorities) {
            return authorities.certificates();
        }
        return trust instanceof CertificateValidation.TrustDomains domains
                ? new TreeMap<>(domains.authorities()).values().stream().flatMap(List::stream).toList()
                : List.of();
    }

    private void certificates(String field, String secret, Collection<X509Certificate> certificates) throws IOException {
        json.writeArrayFieldStart(field);
        for (X509Certificate certificate : certificates) {
            json.writeStartObject();
            json.writeStringField("path", "secret " + secret);
            json.writeStringField("serial_number", certificate.getSerialNumber().toString(16));
            json.writeArrayFieldStart("subject_alt_names");
            for (List<?> name : names(certificate)) {
                if (name.get(0).equals(URI) || name.get(0).equals(DNS)) {
                    json.writeStartObject();
                    json.writeStringField(name.get(0).equals(URI) ? "uri" : "dns", name.get(1).toString());
                    json.writeEndObject();
                }
            }
            json.writeEndArray();
            Instant end = certificate.getNotAfter().toInstant();
            json.writeStringField("days_until_expiration", Long.toString(Math.max(0, Duration.between(now, end).toDays())));
            json.writeStringField("valid_from", certificate.getNotBefore().toInstant().toString());
            json.writeStringField("expiration_time", end.toString());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    /** Names that cannot be read are none. */
    private static Collection<List<?>> names(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null ? List.of() : names;
        } catch (CertificateParsingException unreadable) {
            return List.of();
        }
    }
}
