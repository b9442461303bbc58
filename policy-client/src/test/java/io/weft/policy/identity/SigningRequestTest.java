package io.weft.policy.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SigningRequestTest {

    @ParameterizedTest
    @EnumSource
    void aRequestIsForItsKeyAndSignedByIt(KeyType type) throws IOException {
        KeyPair pair = type.generate();
        byte[] request = IstioCertificates.request(SigningRequest.of(type, pair));
        CodedInputStream input = CodedInputStream.newInstance(request);
        assertThat(input.readTag()).isEqualTo(1 << 3 | 2);
        assertThat(TestAuthority.requested(input.readString())).isEqualTo(pair.getPublic());
    }

    @Test
    void anAnswerThatIsNoneIsNotTaken() {
        for (byte[] nonsense : new byte[][] {{}, {0x0a, 0x02, 'h', 'i'}, {0x0a, 0x7f}}) {
            assertThatThrownBy(() -> IstioCertificates.identity(nonsense, KeyType.EC_P256.generate()))
                    .isInstanceOf(CertificateException.class);
        }
    }
}
