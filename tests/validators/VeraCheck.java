import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.validation.profiles.Profiles;
import org.verapdf.pdfa.validation.validators.ValidatorFactory;

/** Holds a PDF against PDF/UA-1 by veraPDF's library: writes PASS or FAIL, then a line for each broken rule. */
public class VeraCheck {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        var flavour = PDFAFlavour.PDFUA_1;
        var profile = Profiles.getVeraProfileDirectory().getValidationProfileByFlavour(flavour);
        try (var parser = Foundries.defaultInstance().createParser(new FileInputStream(arguments[0]), flavour)) {
            var result = ValidatorFactory.createValidator(profile, false, 5).validate(parser);
            System.out.println(result.isCompliant() ? "PASS" : "FAIL");
            result.getFailedChecks().forEach((rule, times) -> System.out.printf("%s-%d, %d times: %s%n",
                rule.getClause(), rule.getTestNumber(), times, profile.getRuleByRuleId(rule).getDescription()));
        }
    }
}
