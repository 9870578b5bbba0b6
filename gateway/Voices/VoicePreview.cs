using Microsoft.AspNetCore.Http;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Media;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Gateway.Voices;

/// <summary>Why a voice could not be heard.</summary>
internal sealed record VoiceFailure(string Detail, string Code);

/// <summary>Lets a voice say a sentence, as WAV.</summary>
internal sealed class VoicePreview(TimeProvider clock)
{
    public static readonly ErrorCode VoiceFailed = new("voice_failed", 400, "The voice could not speak");

    private const int SampleRateHz = 24_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20), MaxLength = TimeSpan.FromSeconds(30);

    /// <param name="name">Said in the sentence; null for a voice without one.</param>
    /// <param name="synthesizer">Speaks.</param>
    /// <param name="voice">The synthesizer's own name of the voice.</param>
    /// <param name="language">BCP 47 code or null.</param>
    /// <param name="cancellationToken">Stops the request at the provider.</param>
    /// <exception cref="PlatformException"><see cref="VoiceFailed"/> with the provider's words.</exception>
    public async Task<IResult> SpeakAsync(string? name, ISynthesizer synthesizer, string voice, string? language, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var wav = await SynthesizeAsync(Sentence(name), synthesizer, new(voice, SampleRateHz, language), either.Token);
            return TypedResults.File(wav, "audio/wav", enableRangeProcessing: true);
        }
        catch (ProviderException failed)
        {
            throw new PlatformException(VoiceFailed, failed.Message);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PlatformException(VoiceFailed, $"The voice did not speak within {Timeout.TotalSeconds:0} s.");
        }
    }

    private static string Sentence(string? name) => name is null
        ? "Hello. This is how I sound. How can I help you today?"
        : $"Hello, my name is {name}. This is how I sound. How can I help you today?";

    private static async Task<byte[]> SynthesizeAsync(string text, ISynthesizer synthesizer, SynthesisRequest request, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream();
        WavWriter? writer = null;
        await foreach (var chunk in synthesizer.SynthesizeAsync(request, Once(text), cancellationToken))
        {
            writer ??= new WavWriter(stream, chunk.SampleRateHz, channels: 1);
            await writer.WriteAsync(chunk.Pcm, cancellationToken);
            if (writer.Samples > MaxLength.TotalSeconds * chunk.SampleRateHz) break;   // one sentence is never so long: the voice is broken
        }
        if (writer is null) throw new PlatformException(VoiceFailed, "The voice gave no sound.");
        await writer.FlushAsync(cancellationToken);
        return stream.ToArray();
    }

    private static async IAsyncEnumerable<string> Once(string text)
    {
        await Task.CompletedTask;
        yield return text;
    }
}
