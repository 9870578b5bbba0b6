// The server runs on Linux; so do its tests.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
