package app.yika.bench;

import com.google.zxing.EncodeHintType;
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel;
import com.google.zxing.qrcode.encoder.Encoder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Signs and encodes a file of codes, once for each line on its standard input, and answers how many nanoseconds that
 * took. Arguments: the file (what is signed in hexadecimal, a tab, what is drawn) and the symbol's version.
 */
public final class CodeBench {
    private record Code(byte[] signed, String text) {}

    /** Keeps the results from being optimised away. */
    private static int kept;

    public static void main(String[] arguments) throws Exception {
        List<Code> codes = Files.readAllLines(Path.of(arguments[0])).stream()
            .map(line -> line.split("\t", 2))
            .map(parts -> new Code(HexFormat.of().parseHex(parts[0]), parts[1]))
            .toList();
        Map<EncodeHintType, Object> hints = Map.of(EncodeHintType.QR_VERSION, Integer.parseInt(arguments[1]));
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair key = generator.generateKeyPair();

        BufferedReader turns = new BufferedReader(new InputStreamReader(System.in));
        while (turns.readLine() != null) {
            long started = System.nanoTime();
            for (Code code : codes) {
                kept += make(code, key, hints);
            }
            System.out.println(System.nanoTime() - started);
        }
    }

    private static int make(Code code, KeyPair key, Map<EncodeHintType, Object> hints) throws Exception {
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(key.getPrivate());
        signer.update(code.signed());
        byte[] signature = signer.sign();
        var symbol = Encoder.encode(code.text(), ErrorCorrectionLevel.M, hints);
        return signature.length + symbol.getMatrix().getWidth();
    }

    private CodeBench() {}
}
