namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>Whom a call may be transferred to.</summary>
internal static class TransferTarget
{
    /// <summary>Reads <c>target</c>; null where it is missing or wrong, which has been told then.</summary>
    public static string? Read(BuiltInParameters parameters, bool allowsNumbers)
    {
        if (parameters.Text("target") is not { } target) return null;
        if (IsSipUri(target) || (allowsNumbers && IsNumber(target))) return target;
        parameters.Refuse("target", allowsNumbers ? "Expected a SIP URI, for example \"sip:user@example.com\", or a number in E.164 form." : "Expected a SIP URI, for example \"sip:user@example.com\".");
        return null;
    }

    /// <summary>RFC 3261 section 19.1.1, as far as it matters before the medium reads it: scheme, host, nothing that could end a header.</summary>
    private static bool IsSipUri(string text)
    {
        var host = text.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) ? text[4..] : text.StartsWith("sips:", StringComparison.OrdinalIgnoreCase) ? text[5..] : "";
        host = host[(host.LastIndexOf('@') + 1)..];
        return host.Length > 0 && (char.IsAsciiLetterOrDigit(host[0]) || host[0] == '[') && !text.Any(c => c is <= ' ' or '<' or '>' or '"' or (>= '\x7f'));
    }

    private static bool IsNumber(string text) => text.Length is >= 4 and <= 16 && text[0] == '+' && text[1] != '0' && text.Skip(1).All(char.IsAsciiDigit);
}
