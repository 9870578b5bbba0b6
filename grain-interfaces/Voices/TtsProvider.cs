namespace VoiceGrains.GrainInterfaces.Voices;

/// <summary>A provider of speech that a tenant brings a key for.</summary>
/// <param name="Id">As filters, voices and tables name it.</param>
/// <param name="Field">Its field in an <see cref="ExternalVoice"/> and among an account's keys.</param>
/// <param name="Name">For people.</param>
public sealed record TtsProvider(string Id, string Field, string Name)
{
    public static readonly TtsProvider ElevenLabs = new("eleven_labs", "elevenLabs", "ElevenLabs");
    public static readonly TtsProvider Cartesia = new("cartesia", "cartesia", "Cartesia");
    public static readonly TtsProvider Lmnt = new("lmnt", "lmnt", "LMNT");
    public static readonly TtsProvider Google = new("google", "google", "Google");
    public static readonly TtsProvider Inworld = new("inworld", "inworld", "Inworld");
    public static readonly TtsProvider Respeecher = new("respeecher", "respeecher", "Respeecher");

    public static IReadOnlyList<TtsProvider> All { get; } = [ElevenLabs, Cartesia, Lmnt, Google, Inworld, Respeecher];

    public override string ToString() => Name;
}
