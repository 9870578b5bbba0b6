using System.Text.Json;
using System.Text.Json.Serialization;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// What differs between providers that take text and give sound over one WebSocket: one utterance's messages. <see cref="StreamedSpeech"/> does the rest.
/// Messages out are made on the sender's task, <see cref="Read"/> runs on the receiver's.
/// </summary>
/// <param name="provider">Its name, for errors.</param>
/// <param name="apiKey">Cut out of whatever the provider says.</param>
internal abstract class SpeechProtocol(string provider, string apiKey)
{
    private static readonly JsonSerializerOptions Wire = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Provider => provider;

    /// <summary>Where to connect, without the key.</summary>
    public abstract Uri Url { get; }

    /// <summary>The header that holds the key, where it goes into one.</summary>
    public virtual (string Name, string Value)? Header => null;

    /// <summary>What sound was asked for.</summary>
    public abstract int SampleRateHz { get; }

    /// <summary>Messages to send as soon as the connection stands, before there is text.</summary>
    public virtual IEnumerable<byte[]> Begin() => [];

    /// <summary>Messages that say a sentence or clause.</summary>
    public abstract IEnumerable<byte[]> Say(string text);

    /// <summary>Messages that end the text; null when the provider has said all already, so that nothing more will come.</summary>
    public abstract IEnumerable<byte[]>? End();

    /// <summary>Messages that stop the provider, before the connection is closed.</summary>
    public virtual IEnumerable<byte[]> Cancel() => [];

    /// <summary>Whether a provider that closes the connection in order has said all. Else it broke off.</summary>
    public virtual bool EndsByClosing => false;

    /// <summary>Takes a whole message of the provider's. True when it was the last one.</summary>
    /// <exception cref="ProviderException">The provider tells of an error.</exception>
    /// <exception cref="InvalidDataException">It is not what the protocol says, in words that complete "sent a message that cannot be read: ".</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public abstract bool Read(bool isText, ReadOnlySpan<byte> message, SpokenSound sound);

    /// <summary>An error in the provider's own words.</summary>
    public ProviderException Failure(ProviderFault fault, string words, Exception? inner = null) => new(provider, fault, ProviderErrors.Clean(words, apiKey), inner);

    /// <summary>The words in an error body.</summary>
    public string Words(ReadOnlySpan<byte> body) => ProviderErrors.Read(body, apiKey);

    /// <summary>Members that are null are left out.</summary>
    protected static byte[] Json<T>(T message) => JsonSerializer.SerializeToUtf8Bytes(message, Wire);

    /// <summary>The supported rate that is nearest to the wanted one and not above <paramref name="highest"/>; the lowest where none is that low.</summary>
    protected static int NearestRate(ReadOnlySpan<int> supported, int wanted, int highest = int.MaxValue)
    {
        var best = supported[0];
        foreach (var rate in supported)
        {
            if (rate <= highest && Math.Abs(rate - wanted) < Math.Abs(best - wanted)) best = rate;
        }
        return best;
    }

    /// <summary>The two-letter language of a BCP 47 code; null for none.</summary>
    protected static string? Language(string? hint) => hint?.Split('-', '_')[0].ToLowerInvariant() is { Length: 2 or 3 } language ? language : null;
}
