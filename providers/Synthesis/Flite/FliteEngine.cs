using System.Runtime.InteropServices;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>
/// One thread's flite. Sound comes through flite's streaming callback, about 5 ms after the text for a short sentence; by then the durations of
/// the whole phrase are known, so the first stretch of sound brings all word timings, and the callback's answer stops a cancelled phrase.
/// </summary>
internal sealed unsafe class FliteEngine(FliteOptions options) : IPhraseEngine
{
    private const int LeadMilliseconds = 20, TailMilliseconds = 30;   // kept around the first and last word
    private readonly Dictionary<string, (FliteVoice Voice, nint Streaming)> voices = [];

    public void Speak(PhraseJob job)
    {
        var (voice, streaming) = Voice(FliteVoice.Normalize(job.Voice.Length > 0 ? job.Voice : options.DefaultVoice));
        var phrase = new Phrase(job);
        var self = GCHandle.Alloc(phrase);
        try
        {
            ((FliteNative.StreamingInfo*)streaming)->UserData = GCHandle.ToIntPtr(self);
            using var utterance = FliteNative.Synthesize(job.Text, voice);
        }
        finally
        {
            ((FliteNative.StreamingInfo*)streaming)->UserData = 0;
            self.Free();
        }
        if (phrase.Fault is { } fault)
            throw fault;
    }

    public void Dispose()
    {
        foreach (var (voice, _) in voices.Values)
            voice.Dispose();
    }

    private (FliteVoice Voice, nint Streaming) Voice(string name)
    {
        if (voices.TryGetValue(name, out var known))
            return known;
        var voice = FliteVoice.Create(name);
        var streaming = FliteNative.NewStreamingInfo();   // the voice owns and frees it
        streaming->MinimumSamples = 1600;                 // 100 ms at 16 kHz
        streaming->Callback = &OnSound;
        fixed (byte* info = "streaming_info"u8, stretch = "duration_stretch"u8)
        {
            FliteNative.SetFeature(voice.Features, info, FliteNative.StreamingInfoValue(streaming));
            FliteNative.SetFeature(voice.Features, stretch, (float)(1 / options.Speed));
        }
        return voices[name] = (voice, (nint)streaming);
    }

    [UnmanagedCallersOnly]
    private static int OnSound(FliteNative.Wave* wave, int start, int count, int last, FliteNative.StreamingInfo* streaming)
    {
        const int Continue = 0, Stop = -1;
        var phrase = (Phrase)GCHandle.FromIntPtr(streaming->UserData).Target!;
        try   // nothing may be thrown through flite's frames
        {
            return phrase.Write(wave, start, count, streaming->Utterance) ? Continue : Stop;
        }
        catch (Exception exception)
        {
            phrase.Fault = exception;
            return Stop;
        }
    }

    private sealed class Phrase(PhraseJob job)
    {
        private bool begun;
        private int written;

        public Exception? Fault { get; set; }

        public bool Write(FliteNative.Wave* wave, int start, int count, nint utterance)
        {
            if (!begun)
            {
                begun = true;
                var words = FliteWords.Read(utterance, job.Text, wave->SampleRateHz);
                var lead = wave->SampleRateHz * LeadMilliseconds / 1000;
                var tail = wave->SampleRateHz * TailMilliseconds / 1000;
                if (words.Count > 0)
                    job.Begin(wave->SampleRateHz, words, words[0].FirstSample - lead, words[^1].EndSample + tail);
                else
                    job.Begin(wave->SampleRateHz, words, 0, 0);
            }
            var end = Math.Min(start + count, wave->Samples);
            if (end <= written)
                return !job.IsCancelled;
            var pcm = new ReadOnlySpan<short>(wave->Pcm + written, end - written);
            written = end;
            return job.Write(pcm);
        }
    }
}
