package io.weft.controlplane.injector;

import java.util.List;
import java.util.Optional;

/**
 * Whose certificates the injector makes.
 *
 * @param roots name of the Secret of the certificate authority
 * @param hosts DNS names of the injector's Service
 * @param webhook name of the webhook configuration
 * @param controlPlane absent: it has its certificate from elsewhere
 */
public record CertificateSettings(String roots, List<String> hosts, String webhook, Optional<ControlPlane> controlPlane) {

    /**
     * @param secret its name; of the form that Kubernetes knows as TLS
     * @param hosts DNS names of the control plane's Service
     */
    public record ControlPlane(String secret, List<String> hosts) {}
}
