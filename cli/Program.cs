using VoiceGrains.Cli;

return await CommandLine.RunAsync(args, Console.OpenStandardOutput(), Console.Error);
