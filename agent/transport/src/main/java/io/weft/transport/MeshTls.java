package io.weft.transport;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.ServerTls;
import io.weft.dataplane.TransportSecurity;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TlsContext.CertificateSource;
import io.weft.policy.model.TlsContext.ValidationSource;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Mesh TLS over JSSE. A context is made when a policy first asks for it and kept for as long as anyone uses it: what is equal
 * shares its sessions, and connections of an older one go on for as long as the data plane lets them. For one thread at a time.
 */
public final class MeshTls implements TransportSecurity {
    private final Map<ClientSettings, WeakReference<ClientContext>> clients = new HashMap<>();
    private final Map<ServerSettings, WeakReference<ServerContext>> servers = new HashMap<>();
    private final Runnable beforeFirstServer;
    private boolean serves;

    /** Whose process accepts no connection. */
    public MeshTls() {
        this(() -> { });
    }

    /** @param beforeFirstServer runs before the first context for what comes in is there */
    public MeshTls(Runnable beforeFirstServer) {
        this.beforeFirstServer = beforeFirstServer;
    }

    /**
     * @param certificate what this side shows; empty: nothing
     * @param validation empty: the peer is not checked
     */
    private record ClientSettings(
            TlsContext.Parameters parameters,
            List<String> alpn,
            String sni,
            Optional<TlsCertificate> certificate,
            Optional<CertificateValidation> validation) {}

    /** @param validation empty: nobody is asked for a certificate */
    private record ServerSettings(
            TlsContext.Parameters parameters,
            List<String> alpn,
            TlsCertificate certificate,
            Optional<CertificateValidation> validation,
            boolean requireClientCertificate) {}

    @Override
    public Optional<ClientTls> client(UpstreamTls socket, Map<String, Secret> secrets) {
        TlsContext context = socket.context();
        Optional<TlsCertificate> certificate = context.certificate().flatMap(source -> certificate(source, secrets));
        if (context.certificate().isPresent() && certificate.isEmpty()) {
            return Optional.empty();
        }
        Optional<CertificateValidation> validation = validation(context.validation(), secrets);
        boolean checked = !(context.validation() instanceof TlsContext.NoValidation);
        if (checked && validation.isEmpty()) {
            return Optional.empty();
        }
        ClientSettings settings =
                new ClientSettings(context.parameters(), context.alpn(), socket.sni(), certificate, validation);
        clients.values().removeIf(reference -> reference.get() == null);
        WeakReference<ClientContext> reference = clients.get(settings);
        ClientContext known = reference == null ? null : reference.get();
        if (known == null || known.connections().retired()) {
            known = new ClientContext(settings.parameters, settings.alpn, settings.sni, certificate, validation);
            clients.put(settings, new WeakReference<>(known));
        }
        return Optional.of(known);
    }

    @Override
    public Optional<ServerTls> server(DownstreamTls socket, Map<String, Secret> secrets) {
        TlsContext context = socket.context();
        Optional<TlsCertificate> certificate = context.certificate().flatMap(source -> certificate(source, secrets));
        Optional<CertificateValidation> validation = validation(context.validation(), secrets);
        boolean checked = !(context.validation() instanceof TlsContext.NoValidation);
        if (certificate.isEmpty() || checked && validation.isEmpty()) {
            return Optional.empty();
        }
        ServerSettings settings = new ServerSettings(
                context.parameters(), context.alpn(), certificate.get(), validation, socket.requireClientCertificate());
        servers.values().removeIf(reference -> reference.get() == null);
        WeakReference<ServerContext> reference = servers.get(settings);
        ServerContext known = reference == null ? null : reference.get();
        if (known == null) {
            if (!serves) {
                serves = true;
                beforeFirstServer.run();
            }
            known = new ServerContext(
                    settings.parameters, settings.alpn, settings.certificate, validation, settings.requireClientCertificate);
            servers.put(settings, new WeakReference<>(known));
        }
        return Optional.of(known);
    }

    private static Optional<TlsCertificate> certificate(CertificateSource source, Map<String, Secret> secrets) {
        if (source instanceof TlsContext.InlineCertificate inline) {
            return Optional.of(inline.certificate());
        }
        Secret.Content content = source instanceof TlsContext.ProvidedCertificate provided
                ? own(Secret.OWN_IDENTITY, provided.instance(), secrets)
                : content(((TlsContext.NamedCertificate) source).secret(), secrets);
        return content instanceof Secret.Identity identity
                ? Optional.of(identity.certificate())
                : Optional.empty();
    }

    private static Optional<CertificateValidation> validation(ValidationSource source, Map<String, Secret> secrets) {
        if (source instanceof TlsContext.InlineValidation inline) {
            return trusting(inline.validation(), secrets);
        }
        return source instanceof TlsContext.NamedValidation named
                        && content(named.secret(), secrets) instanceof Secret.Validation validation
                ? trusting(named.defaults().with(validation.validation()), secrets)
                : Optional.empty();
    }

    /** With the authorities of this process where policy leaves them to it; empty: it has none. */
    private static Optional<CertificateValidation> trusting(CertificateValidation policy, Map<String, Secret> secrets) {
        if (!(policy.trust() instanceof CertificateValidation.ProvidedAuthorities provided)) {
            return Optional.of(policy);
        }
        return own(Secret.OWN_AUTHORITIES, provided.instance(), secrets) instanceof Secret.Validation own
                ? Optional.of(policy.with(own.validation()))
                : Optional.empty();
    }

    /** Of the provider that policy names; where this process has one identity, that, whatever name a policy gives it. It never has both. */
    private static Secret.Content own(String kind, String instance, Map<String, Secret> secrets) {
        Secret.Content named = content(Secret.ofProvider(kind, instance), secrets);
        return named == null ? content(kind, secrets) : named;
    }

    private static Secret.Content content(String name, Map<String, Secret> secrets) {
        Secret secret = secrets.get(name);
        return secret == null ? null : secret.content();
    }
}
