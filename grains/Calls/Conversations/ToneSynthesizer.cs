using System.Runtime.CompilerServices;
using VoiceGrains.Media;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>A voice that speaks in keypad tones, whatever the text: so tones wait their turn and reach the far end and the recording as speech does.</summary>
internal sealed class ToneSynthesizer(string digits, TimeSpan tone, TimeSpan space) : ISynthesizer
{
    public async IAsyncEnumerable<SpeechChunk> SynthesizeAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var digit in digits)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new SpeechChunk(DtmfTones.Generate(digit.ToString(), request.PreferredSampleRateHz, tone, space), request.PreferredSampleRateHz, []);
        }
        await Task.CompletedTask;
    }
}
