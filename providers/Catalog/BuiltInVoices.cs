using System.Text;

namespace VoiceGrains.Providers.Catalog;

/// <summary>
/// The voices that need no account: names from Ultravox's documentation and one per language that espeak-ng speaks.
/// Names are promises to clients and ids derive from them: never rename, only add.
/// </summary>
internal static class BuiltInVoices
{
    /// <summary>Namespace of the voices' name-based UUIDs.</summary>
    public static readonly Guid Namespace = new("6b6d0a0e-7a5b-4f0a-9c1e-0d3f5a2c8e41");

    /// <summary>Language code, English name, region that the label's flag shows, espeak-ng voice.</summary>
    private static readonly (string Code, string Name, string Flag, string Espeak)[] Languages =
    [
        ("af", "Afrikaans", "ZA", "af"), ("ar", "Arabic", "SA", "ar"), ("bg", "Bulgarian", "BG", "bg"), ("bn", "Bengali", "BD", "bn"),
        ("ca", "Catalan", "ES", "ca"), ("cs", "Czech", "CZ", "cs"), ("cy", "Welsh", "GB", "cy"), ("da", "Danish", "DK", "da"), ("de", "German", "DE", "de"),
        ("el", "Greek", "GR", "el"), ("en-GB", "English (United Kingdom)", "GB", "en-gb"), ("en-US", "English (United States)", "US", "en-us"),
        ("es", "Spanish", "ES", "es"), ("es-MX", "Spanish (Mexico)", "MX", "es-419"), ("et", "Estonian", "EE", "et"), ("fa", "Persian", "IR", "fa"),
        ("fi", "Finnish", "FI", "fi"), ("fr", "French", "FR", "fr-fr"), ("ga", "Irish", "IE", "ga"), ("gu", "Gujarati", "IN", "gu"), ("he", "Hebrew", "IL", "he"),
        ("hi", "Hindi", "IN", "hi"), ("hr", "Croatian", "HR", "hr"), ("hu", "Hungarian", "HU", "hu"), ("id", "Indonesian", "ID", "id"),
        ("is", "Icelandic", "IS", "is"), ("it", "Italian", "IT", "it"), ("ja", "Japanese", "JP", "ja"), ("kn", "Kannada", "IN", "kn"), ("ko", "Korean", "KR", "ko"),
        ("lt", "Lithuanian", "LT", "lt"), ("lv", "Latvian", "LV", "lv"), ("mk", "Macedonian", "MK", "mk"), ("ml", "Malayalam", "IN", "ml"),
        ("mr", "Marathi", "IN", "mr"), ("ms", "Malay", "MY", "ms"), ("nb", "Norwegian", "NO", "nb"), ("ne", "Nepali", "NP", "ne"), ("nl", "Dutch", "NL", "nl"),
        ("pa", "Punjabi", "IN", "pa"), ("pl", "Polish", "PL", "pl"), ("pt", "Portuguese", "PT", "pt"), ("pt-BR", "Portuguese (Brazil)", "BR", "pt-br"),
        ("ro", "Romanian", "RO", "ro"), ("ru", "Russian", "RU", "ru"), ("sk", "Slovak", "SK", "sk"), ("sl", "Slovenian", "SI", "sl"), ("sr", "Serbian", "RS", "sr"),
        ("sv", "Swedish", "SE", "sv"), ("sw", "Swahili", "KE", "sw"), ("ta", "Tamil", "IN", "ta"), ("te", "Telugu", "IN", "te"), ("tr", "Turkish", "TR", "tr"),
        ("uk", "Ukrainian", "UA", "uk"), ("ur", "Urdu", "PK", "ur"), ("vi", "Vietnamese", "VN", "vi"), ("zh", "Chinese (Mandarin)", "CN", "cmn"),
    ];

    /// <summary>All built-in voices; the default first.</summary>
    public static IReadOnlyList<BuiltInVoice> All { get; } =
    [
        new("Mark", "Calm American man (flite rms).", "en-US", "flite", "rms"),
        new("Jessica", "Friendly American woman (flite slt).", "en-US", "flite", "slt"),
        new("Tanya-English", "American woman (flite slt).", "en-US", "flite", "slt"),
        new("Alan-English-Scottish", "Scottish man (flite awb).", "en-GB", "flite", "awb"),
        new("Kal-English", "American man, small and fast (flite kal).", "en-US", "flite", "kal"),
        .. Languages.Select(l => new BuiltInVoice($"Espeak-{NameOf(l.Name)}", $"{l.Name}, synthetic (espeak-ng).", l.Code, "espeak", l.Espeak)),
    ];

    /// <summary>"🇺🇸 English (United States)" for a known code, the code itself otherwise.</summary>
    public static string Label(string language)
    {
        var known = Array.FindIndex(Languages, l => l.Code.Equals(language, StringComparison.OrdinalIgnoreCase));
        if (known < 0) known = Array.FindIndex(Languages, l => language.StartsWith(l.Code + "-", StringComparison.OrdinalIgnoreCase));
        if (known < 0) return language;
        var flag = new StringBuilder();
        foreach (var letter in Languages[known].Flag)
            flag.Append(new Rune(0x1F1E6 + letter - 'A'));   // regional indicator symbols
        return $"{flag} {Languages[known].Name}";
    }

    private static string NameOf(string language) => language.Replace(" (", "-", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal).Replace(' ', '-');
}

/// <param name="Engine">Provider that speaks it.</param>
/// <param name="EngineVoice">The voice's name there.</param>
internal sealed record BuiltInVoice(string Name, string Description, string Language, string Engine, string EngineVoice);
