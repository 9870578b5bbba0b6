namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>The worker process: speaks what comes on standard input until that ends, which it does when its owner goes, however it goes.</summary>
internal static class EspeakWorker
{
    /// <summary>The command line argument that asks for it.</summary>
    public const string Argument = "espeak-worker";

    public static int Main(string[] arguments)
    {
        if (arguments is not [Argument])
        {
            Console.Error.WriteLine("This assembly is a library; it runs only as the speech worker of a VoiceGrains server.");
            return 2;
        }
        using var requests = new BinaryReader(Console.OpenStandardInput());
        using var answers = new BinaryWriter(new BufferedStream(Console.OpenStandardOutput(), 64 * 1024));
        try
        {
            while (true)
                Answer(requests, answers);
        }
        catch (IOException)   // the owner has closed its end
        {
            return 0;
        }
    }

    private static void Answer(BinaryReader requests, BinaryWriter answers)
    {
        var (job, options) = EspeakWire.ReadRequest(requests);
        try
        {
            new EspeakEngine(options).Speak(job);
        }
        catch (ProviderException exception)
        {
            EspeakWire.WriteFault(answers, exception.Fault, exception.Message);
            return;
        }
        EspeakWire.WriteSound(answers, job);
    }
}
