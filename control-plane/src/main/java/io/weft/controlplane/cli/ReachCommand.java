package io.weft.controlplane.cli;

import io.weft.controlplane.ca.Pem;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "reach",
        description = "Says whether ports answer by TLS with a certificate for their name, as those of a control plane and an injector do.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all of them do", "1:one does not; the reason is on stderr", "2:wrong usage"})
final class ReachCommand implements Callable<Integer> {

    private static final int TIMEOUT_MS = 10_000;

    @Spec
    private CommandSpec spec;

    @Option(names = "--ca-file", paramLabel = "FILE", description = "PEM certificates to trust. Default: the JDK's.")
    private Path caFile;

    @Parameters(arity = "1..*", paramLabel = "HOST:PORT")
    private List<ListenAddress> addresses;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        int exit = 0;
        for (ListenAddress address : addresses) {
            try {
                X509Certificate certificate = greet(address);
                out.println(address.withPort(address.port()) + " answers, certificate until " + certificate.getNotAfter().toInstant());
            } catch (IOException | GeneralSecurityException e) {
                err.println("weft reach: " + address.withPort(address.port()) + ": " + e.getMessage());
                exit = 1;
            }
        }
        return exit;
    }

    private X509Certificate greet(ListenAddress address) throws IOException, GeneralSecurityException {
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(address.host(), address.port()), TIMEOUT_MS);
            plain.setSoTimeout(TIMEOUT_MS);
            try (SSLSocket socket = (SSLSocket) context().getSocketFactory().createSocket(plain, address.host(), address.port(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                return (X509Certificate) socket.getSession().getPeerCertificates()[0];
            }
        }
    }

    private SSLContext context() throws IOException, GeneralSecurityException {
        KeyStore trusted = null;
        if (caFile != null) {
            trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            for (X509Certificate root : Pem.certificates(Files.readString(caFile))) {
                trusted.setCertificateEntry("root" + trusted.size(), root);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
